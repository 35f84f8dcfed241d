from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from console.invocations.unused_scopes import scope_usage
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


def unused(connection, user) -> list[str]:
    return [scope for scope, _ in scope_usage(connection, user).unused]


def test_without_calls_all_permissions_are_unused(connection, developer, log, words):
    log(connection, ago=timedelta(days=31))
    assert unused(connection, developer) == SCOPES
    assert "these permissions were not used there" in words()


def test_reading_calls_need_no_permission_to_write(connection, developer, log, words):
    log(connection, 3)
    log(connection, method="HEAD")
    # There is no scope to read orders, so the calls may have needed the one to write them.
    assert unused(connection, developer) == ["contacts.write"]
    assert "4 calls in the last 30 days: 3 GET, 1 HEAD" in words()
    assert "this write permission was not used" in words()
    assert "cannot tell whether the other 2 are used" in words()


def test_it_says_so_if_it_cannot_tell(connection, developer, log, words):
    log(connection, 2)
    log(connection, method="POST")
    assert unused(connection, developer) == []
    assert "cannot tell whether all 3 are used" in words()


def test_calls_of_other_organizations_and_production_do_not_count(
    connection, developer, log, stranger_organization
):
    log(connection, method="POST", organization_id=stranger_organization.pk)
    log(connection, method="POST", environment="production")
    assert scope_usage(connection, developer).calls == 0


def test_scopes_that_are_always_requested_are_not_judged(connect, developer):
    assert scope_usage(connect(scopes=[]), developer) is None
    assert scope_usage(connect("sandbox_basic"), developer) is None


def test_a_permission_to_create_is_unused_if_calls_only_read(connect, developer, log):
    connection = connect(
        "zoho_crm", scopes=["ZohoCRM.modules.leads.CREATE", "ZohoCRM.modules.leads.ALL", "typed"]
    )
    log(connection)
    assert unused(connection, developer) == ["ZohoCRM.modules.leads.CREATE"]
