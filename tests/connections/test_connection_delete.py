from __future__ import annotations

from functools import partial

import pytest
from django.urls import reverse

from connections.authorizations.connection_deletion import ConnectionInUse, delete_connection
from connections.models import Authorization, Connection, Credential, Flow
from console.choices import Level, Role
from console.components.json_source import JsonFaults
from console.components.models import Reference
from tests.connections.flow_steps import authorize, words_of


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


def test_what_a_component_calls_stays(developer_client, connect, grant, build, sandbox):
    connection = connect()
    grant(connection)
    build("Find customer", connection)
    for method in ("get", "post"):
        response = getattr(developer_client, method)(address(connection))
        assert response.status_code == (200 if method == "get" else 409)
        page = words_of(response)
        assert f"{connection} cannot be deleted" in page
        assert "Find customer (Function)" in page
        assert "Delete this connection" not in page
    assert Connection.objects.exists()
    assert Authorization.objects.get().credential is not None
    assert sandbox.counts()["revoke"] == 0


def test_it_goes_once_nothing_calls_it(developer_client, connect, build):
    connection = connect()
    build("Find customer", connection).delete()
    assert developer_client.post(address(connection)).status_code == 303
    assert not Connection.objects.exists()


def test_what_was_ever_released_stays(developer_client, connect, build):
    """An earlier release still contains it, even if the release in Stage does not."""
    connection = connect()
    Connection.objects.update(first_released=2)
    response = developer_client.post(address(connection))
    assert response.status_code == 409
    assert "It was published with release 2." in words_of(response)
    assert Connection.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_either_the_component_or_the_deletion_wins(connect, build, at_once):
    """A component that is just being saved never loses its connection."""
    for number in range(6):
        connection = connect(name=f"Race {number}", link_name=f"race_{number}")
        go_away = partial(delete_connection, connection, connection.created_by)
        turns = iter([go_away, partial(build, f"Call {number}", connection)])

        def go(turns=turns):
            try:
                next(turns)()
            except (ConnectionInUse, JsonFaults):
                return "refused"
            return "done"

        assert sorted(at_once(2, go)) == ["done", "refused"]
        held = Connection.objects.filter(pk=connection.pk).exists()
        assert Reference.objects.filter(connection=connection.pk).exists() == held
