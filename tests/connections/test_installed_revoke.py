from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Credential, InstalledConnection
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.choices import Level, Role
from tests.connections.flow_steps import authorize, words_of


def page(installed: InstalledConnection) -> str:
    return reverse("installed_revoke", args=[installed.pk])


@pytest.fixture
def shared(connect, install, grant, client_organization) -> InstalledConnection:
    installed = install(connect("sandbox_api_key"))
    grant(installed.connection, "production", organization=client_organization)
    return installed


def test_it_works(
    signed_in, client_people, client_organization, connect, install, oauth_client, alice, sandbox
):
    installed = install(connect())
    browser = signed_in(client_people[Role.ADMIN])
    authorize(browser, installed, alice)

    words = words_of(browser.post(page(installed), follow=True))

    authorization = Authorization.objects.get()
    assert authorization.state == Authorization.State.REVOKED
    assert authorization.reason == "Revoked by admin@client.example."
    assert not Credential.objects.exists()
    assert "Sandbox has revoked the access" in words
    assert sandbox.counts()["revoke"] >= 1
    event = Event.objects.get(action=AuditAction.AUTHORIZATION_REVOKED)
    assert event.organization_id == client_organization.pk


def test_it_asks_before_it_does_anything(signed_in, client_people, shared):
    words = words_of(signed_in(client_people[Role.DEVELOPER]).get(page(shared)))
    assert "in Production?" in words
    assert "alice@example.com" in words
    assert Credential.objects.exists()


def test_it_works_after_the_license(signed_in, client_people, shared):
    InstalledConnection.objects.update(ends_at=timezone.now() - timedelta(days=1))
    signed_in(client_people[Role.ADMIN]).post(page(shared))
    assert not Credential.objects.exists()


def test_what_developers_authorized_stays(signed_in, client_people, shared, grant):
    grant(shared.connection, label="developers@example.com")
    signed_in(client_people[Role.ADMIN]).post(page(shared))
    assert Credential.objects.get().label == "developers@example.com"
    assert Authorization.objects.get(environment="all").state == Authorization.State.ACTIVE


def test_nobody_else_revokes_it(signed_in, client_people, shared, developer, super_admin, stranger):
    for person in (client_people[Role.USER], developer, super_admin, stranger):
        browser = signed_in(person)
        assert browser.get(page(shared)).status_code == 404
        assert browser.post(page(shared)).status_code == 404
    assert Credential.objects.exists()


@pytest.mark.parametrize("role", Role.values)
def test_each_person_revokes_his_own_alone(
    signed_in, client_people, client_organization, connect, install, grant, role
):
    installed = install(connect("sandbox_api_key"), level=Level.LOGGED_IN_USER)
    given = {
        person: grant(installed.connection, "production", person, client_organization)
        for person in client_people.values()
    }
    me = client_people[role]
    signed_in(me).post(page(installed))
    revoked = Authorization.objects.filter(state=Authorization.State.REVOKED)
    assert revoked.get() == given[me]
    assert Credential.objects.count() == len(given) - 1
