from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, InstalledConnection
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.choices import Level, Role
from tests.connections.call_helpers import API
from tests.connections.flow_steps import words_of

ME = f"{API}/key/api/me"


def press(client, installed: InstalledConnection):
    return client.post(reverse("installed_test", args=[installed.pk]), follow=True)


@pytest.fixture
def shared(connect, install, grant, client_organization) -> InstalledConnection:
    installed = install(connect("sandbox_api_key"))
    grant(
        installed.connection, "production", organization=client_organization, secret={"key": "k-1"}
    )
    return installed


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER])
def test_it_works(signed_in, client_people, shared, network, role):
    network.get(ME, json={"id": 1, "email": "alice@example.com"})
    words = words_of(press(signed_in(client_people[role]), shared))
    assert "It works: Sandbox API Key answered as alice@example.com." in words
    assert network.calls[0].request.headers["X-Api-Key"] == "k-1"


def test_what_the_service_refuses_and_takes_again_is_told_to_the_client(
    signed_in, client_people, client_organization, shared, network
):
    browser = signed_in(client_people[Role.ADMIN])
    network.get(ME, status=401, json={})
    assert "Reauthorize the connection." in words_of(press(browser, shared))
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION
    network.replace("GET", ME, json={"id": 1, "email": "alice@example.com"})
    assert "It works" in words_of(press(browser, shared))
    assert Authorization.objects.get().state == Authorization.State.ACTIVE

    told = Event.objects.filter(
        action__in=[AuditAction.AUTHORIZATION_ENDED, AuditAction.AUTHORIZATION_RECOVERED]
    )
    assert told.count() == 2
    assert {event.organization_id for event in told} == {client_organization.pk}


def test_each_person_tests_his_own_account(
    signed_in, client_people, client_organization, connect, install, grant, network
):
    network.get(ME, json={"id": 1, "email": "alice@example.com"})
    installed = install(connect("sandbox_api_key"), level=Level.LOGGED_IN_USER)
    for role in (Role.SUPER_ADMIN, Role.USER):
        grant(
            installed.connection,
            "production",
            client_people[role],
            client_organization,
            secret={"key": f"of-{role}"},
        )
    assert press(signed_in(client_people[Role.ADMIN]), installed).status_code == 404
    assert press(signed_in(client_people[Role.USER]), installed).status_code == 200
    assert [call.request.headers["X-Api-Key"] for call in network.calls] == ["of-user"]


def test_nobody_else_tests_it(signed_in, client_people, shared, network, developer, stranger):
    for person in (client_people[Role.USER], developer, stranger):
        assert press(signed_in(person), shared).status_code == 404
    assert len(network.calls) == 0


def test_there_must_be_an_account_and_a_license(signed_in, client_people, shared, network):
    browser = signed_in(client_people[Role.ADMIN])
    InstalledConnection.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert press(browser, shared).status_code == 404
    InstalledConnection.objects.update(ends_at=None)
    Authorization.objects.update(credential=None)
    assert press(browser, shared).status_code == 404
    assert len(network.calls) == 0
