from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Credential, InstalledConnection
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.choices import Level, Role
from tests.connections.flow_steps import words_of


def name(client, installed: InstalledConnection, label: str):
    address = reverse("installed_label", args=[installed.pk])
    return client.post(address, {"label": label}, follow=True)


@pytest.fixture
def shared(connect, install, grant, client_organization) -> InstalledConnection:
    installed = install(connect())
    grant(installed.connection, "production", organization=client_organization)
    return installed


@pytest.mark.parametrize("role", [Role.SUPER_ADMIN, Role.ADMIN, Role.DEVELOPER])
def test_it_works(signed_in, client_people, client_organization, shared, role):
    words = words_of(name(signed_in(client_people[role]), shared, "Sales team"))
    assert "The account is now named Sales team." in words
    assert Credential.objects.get().label == "Sales team"
    event = Event.objects.get(action=AuditAction.AUTHORIZATION_LABELED)
    assert event.organization_id == client_organization.pk


@pytest.mark.parametrize("label", ["", "   ", "x" * 101, "nul\0"])
def test_it_refuses_a_bad_name(signed_in, client_people, shared, label):
    name(signed_in(client_people[Role.ADMIN]), shared, label)
    assert Credential.objects.get().label == "alice@example.com"


def test_others_do_not(signed_in, client_people, shared, developer, stranger):
    for person in (client_people[Role.USER], developer, stranger):
        assert name(signed_in(person), shared, "Mine").status_code == 404
    assert Credential.objects.get().label == "alice@example.com"


def test_each_person_names_his_own_account(
    signed_in, client_people, client_organization, connect, install, grant
):
    installed = install(connect(level=Level.LOGGED_IN_USER))
    grant(installed.connection, "production", client_people[Role.ADMIN], client_organization)
    browser = signed_in(client_people[Role.USER])
    assert name(browser, installed, "Mine").status_code == 404

    mine = grant(installed.connection, "production", client_people[Role.USER], client_organization)
    name(browser, installed, "Mine")

    assert Credential.objects.get(label="Mine") == mine.credential
