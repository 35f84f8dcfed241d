from __future__ import annotations

import pytest
import requests
from cryptography.fernet import Fernet
from django.urls import reverse

from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import invoke
from connections.models import Authorization, Connection, Credential, OAuthClient
from console.choices import Environment, Level
from tests.connections.call_helpers import API, get, state_of


def test_without_authorization_it_says_where_to_authorize(network, connect):
    connection = connect(name="Customers", separate_environments=True)
    exchange = invoke(get(), state_of(connection, Environment.STAGE))
    assert exchange.problem == (
        "Customers is not authorized in Stage. Authorize Customers, then try again."
    )
    page = reverse("connection_authorize", args=[connection.pk])
    assert exchange.authorize_url == f"{page}?environment=stage"
    assert exchange.has_failed
    assert len(network.calls) == 0


def test_who_has_not_authorized_himself_is_told_so(network, connect, developer):
    connection = connect(name="Customers", level=Level.LOGGED_IN_USER)
    exchange = invoke(get(), state_of(connection, user=developer))
    assert exchange.problem.startswith("You have not authorized Customers in Development yet.")
    assert exchange.authorize_url.endswith("?environment=all")


@pytest.mark.parametrize("name", ["needs_authorization", "revoked", "unknown_outcome"])
def test_it_asks_nothing_where_the_authorization_does_not_hold(network, connect, grant, name):
    connection = connect()
    grant(connection)
    Authorization.objects.update(state=name, reason="Because of this.")
    exchange = invoke(get(), state_of(connection))
    assert "Because of this." in exchange.problem
    assert exchange.authorize_url
    assert len(network.calls) == 0


def test_where_permissions_are_missing_the_service_decides(network, acting):
    network.get(f"{API}/api/contacts", status=403, json={"error": "insufficient_scope"})
    state = acting(scopes_granted=[])
    assert state.name == "permissions_missing"
    exchange = invoke(get(), state)
    assert (exchange.status, exchange.problem, exchange.has_failed) == (403, "", True)


def test_a_service_that_left_the_catalogue_is_not_called(network, connect, grant):
    connection = connect()
    grant(connection)
    Connection.objects.update(connector_slug="gone")
    connection.refresh_from_db()
    exchange = invoke(get(), state_of(connection))
    assert "is no longer in the catalog of this console" in exchange.problem
    assert exchange.authorize_url == ""


def test_a_secret_that_does_not_open_is_said(network, acting, settings):
    state = acting()
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    assert "cannot be decrypted" in invoke(get(), state).problem
    assert len(network.calls) == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_outage_keeps_the_authorization(sandbox, connection, method):
    sandbox.switches(api="redirect")
    exchange = invoke(ServiceRequest(method=method, path="/contacts"), state_of(connection))
    assert "Sandbox redirected to another URL" in exchange.problem
    assert ("It may have arrived: check in Sandbox" in exchange.problem) == (method == "POST")
    assert (exchange.status, exchange.authorize_url) == (0, "")
    assert connection.authorizations.get().state == Authorization.State.ACTIVE


def test_an_error_of_the_service_is_an_answer(sandbox, connection):
    sandbox.switches(api="500")
    exchange = invoke(get(), state_of(connection))
    assert (exchange.status, exchange.problem, exchange.has_failed) == (500, "", True)


def test_a_refused_token_is_refreshed_once(sandbox, connection):
    credential = Credential.objects.get()
    credential.secret = credential.secret.reveal() | {"access_token": "withdrawn"}
    credential.save()

    exchange = invoke(get(), state_of(connection))

    assert exchange.status == 200
    assert (sandbox.counts()["api"], sandbox.counts()["token"]) == (2, 1)


def test_a_token_that_stays_refused_needs_authorization(sandbox, connection):
    sandbox.switches(api="revoked")

    exchange = invoke(get(), state_of(connection))

    assert exchange.status == 401
    assert "Sandbox refused this authorization." in exchange.problem
    assert exchange.authorize_url
    # the call, its replay, and the check
    assert (sandbox.counts()["api"], sandbox.counts()["token"]) == (3, 1)
    assert connection.authorizations.get().state == Authorization.State.NEEDS_AUTHORIZATION


def test_a_grant_that_was_withdrawn_needs_authorization(sandbox, connection):
    sandbox.switches(api="revoked", token="revoked")
    exchange = invoke(get(), state_of(connection))
    assert exchange.status == 401
    assert exchange.authorize_url
    assert connection.authorizations.get().state == Authorization.State.NEEDS_AUTHORIZATION


@pytest.fixture
def renewed(network):
    """A token endpoint that works."""
    tokens = {"access_token": "new", "refresh_token": "next", "expires_in": 3600}
    return network.post(f"{API}/oauth/token/", json=tokens)


@pytest.fixture
def customers(db, acting):
    OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    return acting()


def test_a_call_that_is_not_allowed_costs_one_renewal_for_each_token(network, renewed, customers):
    network.get(f"{API}/api/contacts", status=401, json={})
    check = network.get(f"{API}/api/me", json={"id": 1, "email": "alice@example.com"})
    for _ in range(4):
        state = state_of(Connection.objects.get())
        exchange = invoke(get(), state)
        assert (exchange.status, exchange.problem) == (401, "")
    assert (renewed.call_count, check.call_count) == (1, 1)
    assert Authorization.objects.get().state == Authorization.State.ACTIVE


def test_a_check_with_a_token_that_was_replaced_meanwhile_proves_nothing(
    network, renewed, customers
):
    """Another process has renewed it while the check was under way."""

    def answer(request):
        row = Credential.objects.get()
        row.secret = {"access_token": "theirs", "refresh_token": "theirs"}
        row.version += 1
        row.save()
        return 401, {}, "{}"

    network.get(f"{API}/api/contacts", status=401, json={})
    network.add_callback("GET", f"{API}/api/me", answer)
    exchange = invoke(get(), customers)
    assert (exchange.status, exchange.problem) == (401, "")
    assert Authorization.objects.get().state == Authorization.State.ACTIVE


def test_a_missing_scope_renews_nothing(network, renewed, customers):
    challenge = {"WWW-Authenticate": 'Bearer error="insufficient_scope"'}
    network.get(f"{API}/api/contacts", status=401, json={}, headers=challenge)
    exchange = invoke(get(), customers)
    assert (exchange.status, exchange.problem) == (401, "")
    assert renewed.call_count == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 503},
        {"status": 400},
        {"status": 401, "json": {"error": "invalid_client"}},
        {"body": requests.ConnectionError()},
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_outage_of_the_token_endpoint_takes_nothing_away(network, customers, fault, method):
    network.add(method, f"{API}/api/contacts", status=401, json={})
    network.post(f"{API}/oauth/token/", **fault)
    exchange = invoke(ServiceRequest(method=method, path="/contacts"), customers)
    assert exchange.problem.startswith("Sandbox ")
    assert "It may have arrived" not in exchange.problem
    assert exchange.authorize_url == ""
    assert Authorization.objects.get().state == Authorization.State.ACTIVE


def test_a_401_to_one_call_alone_takes_nothing_away(network, acting):
    """Zoho answers so to a missing permission."""
    network.get(f"{API}/key/api/contacts", status=401, json={"code": "SCOPE_MISMATCH"})
    network.get(f"{API}/key/api/me", json={"id": 1, "email": "alice@example.com"})

    exchange = invoke(get(), acting("sandbox_api_key", secret={"key": "the-right-key"}))

    assert (exchange.status, exchange.problem) == (401, "")
    assert Authorization.objects.get().state == Authorization.State.ACTIVE
    assert len(network.calls) == 2


def test_refused_typed_credentials_need_authorization(network, acting):
    for path in ("contacts", "me"):
        network.get(f"{API}/key/api/{path}", status=401, json={})
    exchange = invoke(get(), acting("sandbox_api_key", secret={"key": "the-wrong-key"}))
    assert "Sandbox API Key refused this key." in exchange.problem
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION
