"""The page of a connection that came with an installed application."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Connection, InstalledConnection
from console.choices import Level, Role
from tests.connections.flow_steps import words_of

#: What a client's people may do about connections that are authorized once for all.
SHARING = [Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER]
PRODUCTION = "production"


def page(installed: InstalledConnection) -> str:
    return reverse("installed_connection", args=[installed.pk])


@pytest.fixture
def shared(connect, install) -> InstalledConnection:
    return install(connect(name="Secret plan"))


@pytest.fixture
def own(connect, install) -> InstalledConnection:
    return install(connect(name="Secret plan", level=Level.LOGGED_IN_USER))


@pytest.mark.parametrize("role", SHARING)
def test_it_says_whose_account_acts_for_all(
    signed_in, client_people, client_organization, shared, grant, role
):
    grant(shared.connection, PRODUCTION, organization=client_organization)
    words = words_of(signed_in(client_people[role]).get(page(shared)))
    assert "Secret plan" in words
    assert "Authorized as alice@example.com" in words
    assert "A super admin, admin or developer of Client, once for everyone" in words
    assert "Release 1 of Field Service" in words


def test_a_plain_user_does_not_learn_of_what_is_authorized_for_all(
    signed_in, client_people, client_organization, shared, grant
):
    grant(shared.connection, PRODUCTION, organization=client_organization)
    browser = signed_in(client_people[Role.USER])
    answers = [
        browser.get(reverse("installed_connection", args=[key]))
        for key in (shared.pk, uuid.uuid4())
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    # Each answer has a CSRF token and a nonce of its own.
    hidden, absent = (
        re.sub(r'nonce="[^"]+"|"[A-Za-z0-9]{64}"|[0-9a-f-]{36}', "", answer.content.decode())
        for answer in answers
    )
    assert hidden == absent
    assert "Secret plan" not in hidden


@pytest.mark.parametrize("role", Role.values)
def test_each_person_sees_his_own_account_and_nobody_elses(
    signed_in, client_people, client_organization, own, grant, role
):
    browser = signed_in(client_people[role])
    for other, person in client_people.items():
        if other != role:
            label = f"{other}@service.example"
            grant(own.connection, PRODUCTION, person, client_organization, label=label)
    words = words_of(browser.get(page(own)))
    assert "You have not authorized this connection yet" in words
    assert "@service.example" not in words

    grant(
        own.connection, PRODUCTION, client_people[role], client_organization, label="my@example.com"
    )

    words = words_of(browser.get(page(own)))
    assert "Authorized as my@example.com" in words
    assert "@service.example" not in words


@pytest.mark.parametrize("level", Level.values)
def test_nobody_of_another_organization_sees_it(
    signed_in, connect, install, developer, super_admin, stranger, operator, level
):
    installed = install(connect(level=level))
    for person in (developer, super_admin, stranger, operator):
        assert signed_in(person).get(page(installed)).status_code == 404


@pytest.mark.parametrize("role", Role.values)
def test_nobody_of_the_client_changes_it(signed_in, client_people, shared, role):
    browser, connection = signed_in(client_people[role]), shared.connection
    before = Connection.objects.values().get()
    for name in ("detail", "rename", "permissions", "delete", "authorize", "reuse"):
        address = reverse(f"connection_{name}", args=[connection.pk])
        data = {"name": "Mine", "scopes": ["contacts.write"]}
        assert browser.post(address, data).status_code in (404, 405), name
        assert browser.get(address).status_code in (404, 405), name
    assert Connection.objects.values().get() == before


def test_the_pages_of_developers_do_not_lead_to_what_clients_authorized(
    signed_in, client_people, client_organization, developer_client, shared, grant
):
    authorization = grant(shared.connection, PRODUCTION, organization=client_organization)
    for browser in (developer_client, signed_in(client_people[Role.SUPER_ADMIN])):
        for name in ("test", "label", "revoke"):
            address = reverse(f"authorization_{name}", args=[authorization.pk])
            assert browser.post(address, {"label": "Mine"}).status_code == 404
    home = developer_client.get(shared.connection.get_absolute_url())
    assert "alice@example.com" not in words_of(home)
    authorization.refresh_from_db()
    assert authorization.state == Authorization.State.ACTIVE


def test_what_developers_authorized_is_not_shown(signed_in, client_people, shared, grant):
    grant(shared.connection, label="developers@example.com")
    words = words_of(signed_in(client_people[Role.ADMIN]).get(page(shared)))
    assert "Nobody has authorized this connection yet" in words
    assert "developers@example.com" not in words


def test_it_stands_as_it_was_installed(signed_in, client_people, connect, install):
    connection = connect(name="People", scopes=["contacts.read"])
    installed = install(connection)
    connection.name, connection.scopes = "Secret plan", ["orders.write"]
    connection.save()
    words = words_of(signed_in(client_people[Role.ADMIN]).get(page(installed)))
    assert "People" in words
    assert "contacts.read" in words
    assert "Secret plan" not in words
    assert "orders.write" not in words


def test_it_counts_missing_permissions_by_what_is_installed(
    signed_in, client_people, client_organization, connect, install, grant
):
    connection = connect(scopes=["contacts.read", "orders.read"])
    installed = install(connection)
    connection.scopes = ["contacts.read"]
    connection.save()
    granted = ["profile.read", "contacts.read"]
    grant(connection, PRODUCTION, organization=client_organization, scopes_granted=granted)
    words = words_of(signed_in(client_people[Role.ADMIN]).get(page(installed)))
    assert "2 of 3 permissions. Missing: orders.read" in words


def test_after_the_license_it_can_only_be_revoked(
    signed_in, client_people, client_organization, shared, grant
):
    grant(shared.connection, PRODUCTION, organization=client_organization)
    InstalledConnection.objects.update(ends_at=timezone.now() - timedelta(days=1))
    response = signed_in(client_people[Role.ADMIN]).get(page(shared))
    assert "The license of Field Service ended" in words_of(response)
    assert reverse("installed_revoke", args=[shared.pk]) in response.content.decode()
    for name in ("authorize", "test"):
        assert reverse(f"installed_{name}", args=[shared.pk]) not in response.content.decode()


def test_a_service_that_left_the_catalogue_is_said(signed_in, client_people, connect, install):
    installed = install(connect(), connector="gone")
    response = signed_in(client_people[Role.ADMIN]).get(page(installed))
    assert "is no longer in the catalogue of this console" in words_of(response)
    assert reverse("installed_authorize", args=[installed.pk]) not in response.content.decode()


def test_the_number_of_queries_does_not_grow(
    signed_in, member, client_people, client_organization, connect, install, own, grant
):
    browser = signed_in(client_people[Role.USER])
    grant(own.connection, PRODUCTION, client_people[Role.USER], client_organization)

    def queries() -> int:
        with CaptureQueriesContext(
            database,
        ) as captured:
            assert browser.get(page(own)).status_code == 200
        return len(captured)

    few = queries()
    for number in range(10):
        person = member(client_organization, Role.USER, f"{number}@client.example")
        grant(own.connection, PRODUCTION, person, client_organization)
        install(connect())
    assert queries() == few
