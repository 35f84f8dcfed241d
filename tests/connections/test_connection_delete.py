from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Authorization, Connection, Credential, Flow
from connections.standing import Level
from console.accounts.policy import Role
from tests.connections.flowing import authorize, words_of


def address(connection: Connection) -> str:
    return reverse("connection_delete", args=[connection.pk])


def test_it_works(developer_client, connect, oauth_client, alice, sandbox):
    connection = connect(separate_environments=True)
    authorize(developer_client, connection, alice, environments=["development", "stage"])

    response = developer_client.post(address(connection))

    assert response["Location"] == reverse("connection_list")
    assert sandbox.counts()["revoke"] >= 1
    for model in (Connection, Authorization, Credential, Flow):
        assert not model.objects.exists()


def test_it_says_what_stops_working(developer_client, connect, grant):
    connection = connect()
    grant(connection)
    page = words_of(developer_client.get(address(connection)))
    assert "alice@example.com" in page
    assert connection.link_name in page
    assert Connection.objects.exists()


@pytest.mark.parametrize("mode", ["500", "html", "redirect"])
def test_it_goes_on_without_the_service(
    developer_client, connect, oauth_client, alice, sandbox, mode
):
    connection = connect()
    authorize(developer_client, connection, alice)
    sandbox.switches(revoke=mode)
    assert developer_client.post(address(connection)).status_code == 303
    assert not Credential.objects.exists()


def test_what_another_connection_uses_stays(developer_client, connect, grant, sandbox):
    first, second = connect(), connect()
    shared = grant(first)
    grant(second)
    Authorization.objects.update(credential=shared.credential)
    developer_client.post(address(first))
    assert second.authorizations.get().credential == shared.credential
    assert sandbox.counts()["revoke"] == 0


def test_it_takes_everybodys_accounts_along(developer_client, connect, grant, member, studio):
    connection = connect("sandbox_basic", level=Level.LOGGED_IN_USER)
    for number in range(3):
        grant(connection, user=member(studio, Role.DEVELOPER, f"{number}@studio.example"))
    developer_client.post(address(connection))
    assert not Credential.objects.exists()


def test_its_name_is_free_again(developer_client, connect):
    connection = connect(name="Alerts")
    developer_client.post(address(connection))
    connect(name="Alerts")
