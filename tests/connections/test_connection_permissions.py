from __future__ import annotations

from django.urls import reverse

from connections.models import Connection
from tests.connections.flow_steps import authorize, words_of


def address(connection: Connection) -> str:
    return reverse("connection_permissions", args=[connection.pk])


def test_it_works(developer_client, connect, oauth_client, alice, sandbox):
    connection = connect(scopes=["contacts.read"])
    authorize(developer_client, connection, alice)
    asked = sandbox.counts()["token"]

    response = developer_client.post(
        address(connection), {"scopes": ["contacts.read", "orders.write"]}
    )

    assert response.status_code == 303
    connection.refresh_from_db()
    assert connection.scopes == ["contacts.read", "orders.write"]
    authorization = connection.authorizations.get()
    assert authorization.missing_scopes == ["orders.write"]
    assert authorization.display.name == "permissions_missing"
    assert sandbox.counts()["token"] == asked, "what was granted stays"
    authorize(developer_client, connection, alice)
    assert connection.authorizations.get().display.name == "active"


def test_asking_for_less_is_not_missing_anything(developer_client, connect, grant):
    connection = connect(scopes=["contacts.read", "orders.read"])
    grant(connection)
    developer_client.post(address(connection), {"scopes": ["orders.read"]})
    connection.refresh_from_db()
    assert connection.authorizations.get().display.name == "active"


def test_it_refuses_none_at_all(developer_client, connect):
    connection = connect()
    response = developer_client.post(address(connection), {"typed": ""})
    assert response.status_code == 422
    assert "Choose at least one permission" in words_of(response)
    assert Connection.objects.get().scopes == ["contacts.read"]


def test_it_refuses_what_is_not_listed(developer_client, connect):
    response = developer_client.post(address(connect()), {"scopes": ["profile.write"]})
    assert response.status_code == 422


def test_it_needs_oauth(developer_client, connect):
    assert developer_client.get(address(connect("twilio"))).status_code == 404
