from __future__ import annotations

import json
import secrets
from datetime import timedelta

import pytest
import responses
from django.utils import timezone

from connections.credentials.refreshing import NeedsAuthorization, fresh_secret, is_refresh_due
from connections.models import Authorization, Credential
from connectors.errors import ServiceError
from tests.connections.flow_steps import authorize

pytestmark = pytest.mark.usefixtures("oauth_client")


@pytest.fixture
def ended(connection) -> Credential:
    """Return a credential with an expired access token."""
    return aged(Credential.objects.get(), ended=timedelta(hours=1))


def aged(credential: Credential, *, ended: timedelta) -> Credential:
    now = timezone.now()
    credential.obtained_at, credential.expires_at = now - ended - timedelta(hours=1), now - ended
    credential.save()
    return credential


def test_it_works(ended, sandbox):
    old = ended.secret.reveal()

    new = fresh_secret(ended)

    assert new["access_token"] != old["access_token"]
    row = Credential.objects.get()
    assert row.secret.reveal() == new
    assert (row.lease_owner, row.lease_until, row.attempt, row.journal) == ("", None, 0, None)
    assert sandbox.counts()["token"] == 1


def test_a_valid_token_is_not_refreshed(connection, sandbox):
    credential = Credential.objects.get()
    assert fresh_secret(credential) == credential.secret.reveal()
    assert sandbox.counts()["token"] == 0


@pytest.mark.django_db(transaction=True)
def test_one_refresh_serves_many_callers(ended, sandbox, at_once):
    answers = at_once(8, lambda: fresh_secret(Credential.objects.get())["access_token"])

    assert len(set(answers)) == 1
    assert sandbox.counts()["token"] == 1
    assert sandbox.counts()["reuse"] == 0


@pytest.mark.django_db(transaction=True)
def test_one_refresh_serves_many_refused_callers(connection, sandbox, at_once):
    rows = iter([Credential.objects.get() for _ in range(8)])
    answers = at_once(8, lambda: fresh_secret(next(rows), force=True)["access_token"])

    assert len(set(answers)) == 1
    assert sandbox.counts()["token"] == 1


def test_an_answer_without_a_refresh_token_keeps_the_old_one(ended, sandbox):
    old = ended.secret.reveal()["refresh_token"]
    sandbox.switches(withhold_refresh_token=True)
    assert fresh_secret(ended)["refresh_token"] == old


@pytest.mark.parametrize("mode", ["500", "html", "empty", "redirect"])
def test_a_valid_token_works_during_an_outage(connection, sandbox, mode):
    credential = aged(Credential.objects.get(), ended=-timedelta(minutes=5))
    old = credential.secret.reveal()
    sandbox.switches(token=mode)

    assert fresh_secret(credential) == old

    assert sandbox.counts()["token"] == 1
    assert Authorization.objects.get().state == Authorization.State.ACTIVE
    row = Credential.objects.get()
    assert (row.lease_owner, row.lease_until) == ("", None)


@pytest.mark.parametrize("mode", ["500", "html", "empty", "redirect"])
def test_an_outage_with_an_expired_token_is_reported_and_recovers(ended, sandbox, mode):
    sandbox.switches(token=mode)
    with pytest.raises(ServiceError):
        fresh_secret(ended)
    assert Authorization.objects.get().state == Authorization.State.ACTIVE
    sandbox.reset()
    Credential.objects.update(retry_at=None)
    assert fresh_secret(Credential.objects.get())["access_token"]


def test_a_clear_refusal_needs_authorization(ended, sandbox):
    sandbox.switches(token="revoked")
    with pytest.raises(NeedsAuthorization, match="no longer accepts"):
        fresh_secret(ended)
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION
    assert Authorization.objects.get().reason


def test_an_expired_lease_is_taken_over(ended, sandbox):
    Credential.objects.update(
        lease_owner="gone", lease_until=timezone.now() - timedelta(seconds=1), attempt=1
    )
    assert (
        fresh_secret(Credential.objects.get())["access_token"]
        != ended.secret.reveal()["access_token"]
    )
    assert sandbox.counts()["token"] == 1


def test_after_an_expired_lease_a_refusal_is_an_unknown_outcome(ended, sandbox):
    Credential.objects.update(
        lease_owner="gone", lease_until=timezone.now() - timedelta(seconds=1), attempt=1
    )
    sandbox.switches(token="revoked")
    with pytest.raises(NeedsAuthorization):
        fresh_secret(Credential.objects.get())
    assert Authorization.objects.get().state == Authorization.State.UNKNOWN_OUTCOME


def test_a_journaled_response_that_was_not_stored_is_used(ended, sandbox):
    token = secrets.token_urlsafe(16)
    ended.journal = json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 60})
    ended.lease_owner, ended.attempt = "gone", 1
    ended.lease_until = timezone.now() - timedelta(seconds=1)
    ended.save()

    assert fresh_secret(Credential.objects.get())["access_token"] == token

    assert sandbox.counts()["token"] == 0
    assert Credential.objects.get().journal is None


def test_a_new_grant_wins_over_a_refresh(connection, developer_client, alice, ended, sandbox):
    stale = Credential.objects.get()
    authorize(developer_client, connection, alice)
    sandbox.reset()
    with pytest.raises(NeedsAuthorization, match="replaced"):
        # Its row is gone, so nobody can take its lease.
        fresh_secret(stale)
    assert sandbox.counts()["token"] == 0
    assert Authorization.objects.get().state == Authorization.State.ACTIVE


def test_a_token_of_unknown_lifetime_is_never_due(ended):
    ended.expires_at = None
    assert not is_refresh_due(ended)


@pytest.mark.parametrize(
    ("lifetime", "left", "due"),
    [
        (timedelta(hours=1), timedelta(minutes=15, seconds=1), False),
        (timedelta(hours=1), timedelta(minutes=14, seconds=59), True),
        (timedelta(minutes=10), timedelta(minutes=5, seconds=1), False),
        (timedelta(minutes=10), timedelta(minutes=4, seconds=59), True),
        (timedelta(0), timedelta(0), False),
        (timedelta(days=60), -timedelta(seconds=1), True),
    ],
)
def test_it_is_due_15_minutes_or_half_its_lifetime_before_expiry(lifetime, left, due):
    now = timezone.now()
    credential = Credential(obtained_at=now + left - lifetime, expires_at=now + left)
    assert is_refresh_due(credential, now) == due


@responses.activate
def test_stored_fields_survive_a_refresh(connect, grant, db, oauth_client):
    """A field that a later response omits stays: Salesforce names the host only sometimes."""
    client = type(oauth_client).objects.create(
        connector_slug="salesforce", client_id="c", client_secret="s"
    )
    connection = connect("salesforce", scopes=["api"])
    parameters = {p.name: p.default for p in connection.connector.parameters}
    authorization = grant(
        connection,
        client=client,
        parameters=parameters,
        kept={"instance_url": "https://acme.my.salesforce.com"},
    )
    endpoint = connection.connector.oauth2.token_endpoint.format(**parameters)
    responses.post(endpoint, json={"access_token": "new", "token_type": "Bearer"})

    credential = authorization.credential
    assert fresh_secret(credential, force=True)["access_token"] == "new"

    credential.refresh_from_db()
    assert credential.kept["instance_url"] == "https://acme.my.salesforce.com"
    assert credential.secret.reveal()["refresh_token"] == "a-refresh-token"
