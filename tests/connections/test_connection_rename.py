from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Connection
from tests.connections.flow_steps import words_of


def rename(client, connection: Connection, name: str):
    return client.post(reverse("connection_rename", args=[connection.pk]), {"name": name})


def test_it_works(developer_client, connect, grant):
    connection = connect(name="Before")
    authorization = grant(connection)

    assert rename(developer_client, connection, "After").status_code == 303

    after = Connection.objects.get()
    assert (after.name, after.link_name) == ("After", connection.link_name)
    authorization.refresh_from_db()
    assert authorization.state == "active"


@pytest.mark.parametrize("name", ["", "x" * 51, "nul\0", "a\nb", "a\u202eb", "a\u200bb", "\u0301"])
def test_it_refuses_a_bad_name(developer_client, connect, name):
    connection = connect(name="Before")
    assert rename(developer_client, connection, name).status_code == 422
    assert Connection.objects.get().name == "Before"


def test_it_refuses_a_taken_name(developer_client, connect):
    connect(name="Alerts")
    connection = connect(name="Before")
    response = rename(developer_client, connection, "alerts")
    assert response.status_code == 422
    assert "already has a connection named alerts" in words_of(response)


def test_its_own_name_in_other_letters_is_free(developer_client, connect):
    connection = connect(name="Alerts")
    assert rename(developer_client, connection, "ALERTS").status_code == 303


def test_it_has_no_draft(developer_client, connect):
    assert rename(developer_client, connect(status="draft"), "After").status_code == 404
