"""The result of a callback for different token responses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.models import Authorization, Connection, Flow
from tests.connections.flow_steps import authorize, words_of

pytestmark = pytest.mark.usefixtures("oauth_client")


@pytest.fixture
def connection(connect) -> Connection:
    return connect()


@pytest.mark.parametrize("mode", ["500", "html", "empty", "redirect", "revoked"])
def test_it_says_what_the_token_endpoint_did_wrong(
    developer_client, connection, alice, sandbox, mode
):
    before = Connection.objects.values().get(pk=connection.pk)
    sandbox.switches(token=mode)

    flow = authorize(developer_client, connection, alice)

    assert flow.outcome == Flow.Outcome.FAILED
    assert "Sandbox" in flow.problem
    assert sandbox.counts() | {"authorize": 0} == {
        "token": 1,
        "revoke": 0,
        "api": 0,
        "authorize": 0,
        "reuse": 0,
        "elsewhere": 0,
    }
    assert not Authorization.objects.exists()
    assert Connection.objects.values().get(pk=connection.pk) == before


def test_it_keeps_a_grant_whose_account_cannot_be_looked_up(
    developer_client, connection, alice, sandbox
):
    sandbox.switches(api="500")

    flow = authorize(developer_client, connection, alice)

    assert flow.outcome == Flow.Outcome.COMPLETED
    assert "could not be looked up" in flow.problem
    assert connection.authorizations.get().credential.label == "Sandbox Account 1"


def test_it_stores_no_grant_that_the_service_itself_refuses(
    developer_client, connection, alice, bob, sandbox
):
    authorize(developer_client, connection, alice)
    before = connection.authorizations.values().get()
    sandbox.switches(api="revoked")

    flow = authorize(developer_client, connection, bob)

    assert flow.outcome == Flow.Outcome.FAILED
    assert "Sandbox refused" in flow.problem
    assert connection.authorizations.values().get() == before


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (3600, 3600),
        ("3600", 3600),
        (3600.0, 3600),
        ("absent", None),
        ("soon", None),
        ("", None),
        (True, None),
        ([], None),
        ({}, None),
        (-1, None),
        (10**30, None),
    ],
)
def test_it_takes_any_lifetime(developer_client, connection, alice, sandbox, expires_in, seconds):
    sandbox.switches(expires_in=expires_in)

    flow = authorize(developer_client, connection, alice)

    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    credential = connection.authorizations.get().credential
    if seconds is None:
        assert credential.expires_at is None or credential.expires_at <= timezone.now() + timedelta(
            days=3653
        )
    else:
        lifetime = credential.expires_at - timezone.now()
        assert lifetime == pytest.approx(timedelta(seconds=seconds), abs=timedelta(seconds=20))
    assert developer_client.get(connection.get_absolute_url()).status_code == 200


def test_it_says_when_access_ends_that_cannot_be_renewed(
    developer_client, connection, alice, sandbox
):
    sandbox.switches(withhold_refresh_token=True)

    flow = authorize(developer_client, connection, alice)

    credential = connection.authorizations.get().credential
    assert credential.ends_at == credential.expires_at is not None
    page = words_of(developer_client.get(flow.get_absolute_url()))
    assert "so this access cannot be renewed. It stops working" in page
    assert connection.authorizations.get().display.name == "expiring"


def test_it_names_the_permissions_that_were_not_granted(developer_client, connect, alice, sandbox):
    connection = connect(scopes=["contacts.read", "orders.read"])
    sandbox.switches(grant_fewer_scopes=True)

    flow = authorize(developer_client, connection, alice)

    authorization = connection.authorizations.get()
    assert authorization.display.name == "permissions_missing"
    assert len(authorization.missing_scopes) == 1
    page = words_of(developer_client.get(flow.get_absolute_url()))
    assert f"Missing: {authorization.missing_scopes[0]}." in page
    assert "missing" in words_of(developer_client.get(connection.get_absolute_url())).lower()
