"""Calls in Production: a client's own authorizations, and the right person's."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connections.calls.invoking import invoke
from connections.models import Authorization, InstalledConnection
from console.choices import Environment, Level, Role
from console.publishing import publishing
from console.publishing.environment_state import manifest_in, states_in
from console.publishing.models import Installation
from console.publishing.runs import NotRunnable, run
from tests.connections.call_helpers import API, get

PRODUCTION = Environment.PRODUCTION
CONTACTS = f"{API}/key/api/contacts"


@pytest.fixture(autouse=True)
def the_service_answers(network) -> None:
    network.get(CONTACTS, json={"contacts": []})


@pytest.fixture
def give(grant, client_organization):
    """Authorize for Production with a key that names whose it is."""

    def make(connection, user=None, organization=client_organization, key="of-all"):
        return grant(connection, "production", user, organization, secret={"key": key})

    return make


@pytest.fixture
def ship(application, developer, may_publish, build, client_organization):
    """Publish a function that calls a connection, and install the release at the client."""

    def make(connection) -> Installation:
        build("Find", connection)
        release = publishing.publish(application, developer, ticked=["find"]).release
        installation = Installation.objects.create(
            application=application, organization=client_organization, release=release
        )
        InstalledConnection.objects.create(
            connection=connection,
            organization=client_organization,
            number=release.number,
            document=release.manifest.connections[connection.link_name].as_document(),
        )
        return installation

    return make


@pytest.fixture
def shared(connect):
    return connect("sandbox_api_key", name="People", link_name="people")


@pytest.fixture
def own(connect):
    return connect("sandbox_api_key", name="People", link_name="people", level=Level.LOGGED_IN_USER)


def go(application, user, client):
    return run(application, "find", PRODUCTION, user, {}, client=client)


def keys(network) -> list[str]:
    return [call.request.headers["X-Api-Key"] for call in network.calls]


@pytest.mark.parametrize("role", Role.values)
def test_everybody_acts_with_the_account_that_is_authorized_for_all(
    network, application, client_people, client_organization, shared, ship, give, role
):
    ship(shared)
    give(shared)
    done = go(application, client_people[role], client_organization)
    assert done.ok, done.problem
    assert keys(network) == ["of-all"]


def test_each_person_acts_with_his_own_account(
    network, application, client_people, client_organization, own, ship, give
):
    ship(own)
    for role, person in client_people.items():
        give(own, person, key=f"of-{role}")
    for person in client_people.values():
        assert go(application, person, client_organization).ok
    assert keys(network) == [f"of-{role}" for role in client_people]


@pytest.mark.parametrize("role", Role.values)
def test_nobody_acts_with_the_account_of_another_person(
    network, application, client_people, client_organization, own, ship, give, developer, role
):
    """Not the administrators' either, nor the developers'."""
    ship(own)
    me = client_people.pop(role)
    for other in (*client_people.values(), developer):
        give(own, other)
    give(own)
    give(own, organization=application.organization)
    grants = [("all", None), ("all", developer), ("development", me), ("stage", me)]
    for environment, user in grants:
        Authorization.objects.create(
            connection=own,
            organization=application.organization,
            environment=environment,
            user=user,
            credential=Authorization.objects.first().credential,
        )

    done = go(application, me, client_organization)

    assert done.problem == (
        "You have not authorized People in Production yet. Authorize People, then try again."
    )
    page = reverse("installed_authorize", args=[InstalledConnection.objects.get().pk])
    assert done.steps[0].exchanges[0].authorize_url == page
    assert len(network.calls) == 0


def test_no_account_of_a_persons_own_acts_for_all(
    network, application, client_people, client_organization, shared, ship, give, grant
):
    ship(shared)
    me = client_people[Role.SUPER_ADMIN]
    give(shared, me)
    grant(shared, secret={"key": "of-the-developers"})
    done = go(application, me, client_organization)
    assert done.problem == (
        "People is not authorized in Production. Authorize People, then try again."
    )
    assert len(network.calls) == 0


def test_a_client_never_acts_with_the_account_of_another_one(
    network,
    application,
    client_people,
    client_organization,
    stranger_organization,
    shared,
    ship,
    give,
):
    ship(shared)
    give(shared, organization=stranger_organization)
    # Even where the same connection is installed there and authorized.
    row = InstalledConnection.objects.get()
    InstalledConnection.objects.create(
        connection=shared, organization=stranger_organization, number=1, document=row.document
    )
    done = go(application, client_people[Role.ADMIN], client_organization)
    assert "People is not authorized in Production." in done.problem
    assert len(network.calls) == 0


def test_development_and_stage_never_act_with_a_clients_account(
    network, application, developer, shared, ship, give
):
    ship(shared)
    give(shared)
    give(shared, organization=application.organization)
    for environment in (Environment.DEVELOPMENT, Environment.STAGE):
        done = run(application, "find", environment, developer, {})
        assert f"People is not authorized in {environment.label}." in done.problem
    assert len(network.calls) == 0


@pytest.mark.parametrize("ended", ["license", "uninstalled"])
def test_nothing_runs_after_the_license(
    network, application, client_people, client_organization, shared, ship, give, ended
):
    installation = ship(shared)
    give(shared)
    if ended == "license":
        yesterday = timezone.now() - timedelta(days=1)
        Installation.objects.update(ends_at=yesterday)
        InstalledConnection.objects.update(ends_at=yesterday)
    else:
        installation.delete()
        InstalledConnection.objects.all().delete()
    with pytest.raises(NotRunnable, match="Find is not in Production yet"):
        go(application, client_people[Role.ADMIN], client_organization)
    snapshots = manifest_in(application, Environment.STAGE).connections.values()
    states = states_in(
        application, snapshots, PRODUCTION, client_people[Role.ADMIN], client_organization
    )
    assert states == {}


def test_without_a_client_there_is_no_production(application, developer, shared, ship, give):
    ship(shared)
    give(shared)
    with pytest.raises(NotRunnable):
        go(application, developer, None)
    assert states_in(application, [shared.snapshot], PRODUCTION, developer) == {}


def test_it_stands_as_it_was_installed_whatever_developers_change(
    network, application, client_people, client_organization, shared, ship, give
):
    ship(shared)
    give(shared)
    shared.name, shared.level, shared.connector_slug = "Other", Level.LOGGED_IN_USER, "twilio"
    shared.save()
    assert go(application, client_people[Role.USER], client_organization).ok
    assert keys(network) == ["of-all"]


def test_what_the_service_refuses_says_where_to_authorize_again(
    network, application, client_people, client_organization, shared, ship, give
):
    ship(shared)
    give(shared)
    network.replace("GET", CONTACTS, status=401, json={})
    network.get(f"{API}/key/api/me", status=401, json={})
    state = _state(application, client_people[Role.ADMIN], client_organization)

    exchange = invoke(get(), state)

    page = reverse("installed_authorize", args=[InstalledConnection.objects.get().pk])
    assert exchange.authorize_url == page
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION


def test_it_asks_the_database_as_often_however_many_there_are(
    application, client_people, client_organization, connect, install, give
):
    me = client_people[Role.USER]

    def queries() -> int:
        with CaptureQueriesContext(database) as captured:
            states_in(application, [], PRODUCTION, me, client_organization)
        return len(captured)

    def one() -> None:
        connection = connect("sandbox_api_key", level=Level.LOGGED_IN_USER)
        install(connection)
        for person in client_people.values():
            give(connection, person)

    one()
    few = queries()
    for _ in range(10):
        one()
    assert queries() == few == 3


def _state(application, user, client) -> Any:
    return states_in(application, [], PRODUCTION, user, client)["people"]
