from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from console.invocations.unused_scopes import need_of
from tests.connections.flow_steps import words_of

SCOPES = ["contacts.read", "contacts.write", "orders.write"]


@pytest.fixture
def connection(connect):
    return connect(scopes=SCOPES)


@pytest.fixture
def words(developer_client, connection):
    def read() -> str:
        return words_of(developer_client.get(reverse("connection_calls", args=[connection.pk])))

    return read


def unneeded(connection, user) -> list[str]:
    return [scope for scope, _ in need_of(connection, user).unneeded]


def test_without_a_call_nothing_was_needed(connection, developer, log, words):
    log(connection, ago=timedelta(days=31))
    assert unneeded(connection, developer) == SCOPES
    assert "none of the permissions was needed there" in words()


def test_reading_calls_need_no_permission_to_write(connection, developer, log, words):
    log(connection, 3)
    log(connection, method="HEAD")
    # Nothing of orders may be read otherwise, so the permission to write may be what lets them.
    assert unneeded(connection, developer) == ["contacts.write"]
    assert "4 calls in the last 30 days: 3 GET, 1 HEAD" in words()
    assert "nothing has needed this permission to write" in words()
    assert "Of the other 2 it cannot be told" in words()


def test_it_says_where_it_cannot_tell(connection, developer, log, words):
    log(connection, 2)
    log(connection, method="POST")
    assert unneeded(connection, developer) == []
    assert "cannot tell whether all 3 are needed" in words()


def test_calls_of_others_do_not_count(connection, developer, log, stranger_organization):
    log(connection, method="POST", organization_id=stranger_organization.pk)
    log(connection, method="POST", environment="production")
    assert need_of(connection, developer).calls == 0


def test_what_is_always_asked_for_is_no_choice(connect, developer):
    assert need_of(connect(scopes=[]), developer) is None
    assert need_of(connect("sandbox_basic"), developer) is None


def test_a_permission_to_create_is_none_to_read(connect, developer, log):
    connection = connect(
        "zoho_crm", scopes=["ZohoCRM.modules.leads.CREATE", "ZohoCRM.modules.leads.ALL", "typed"]
    )
    log(connection)
    assert unneeded(connection, developer) == ["ZohoCRM.modules.leads.CREATE"]
