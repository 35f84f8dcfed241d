"""A different account comes back: both are named, and nothing changes until the person decides."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from connections.authorizations import replacing
from connections.models import Authorization, Credential, Flow, PendingGrant
from console.audit.models import Event
from tests.connections.flow_steps import authorize, decide, words_of


@pytest.fixture
def relinked(developer_client, connection, bob) -> Flow:
    """The flow after bob has come back for the connection of alice."""
    return authorize(developer_client, connection, bob)


def account() -> str:
    return Authorization.objects.get().credential.label


def test_it_names_both_and_changes_nothing(developer_client, connection, relinked):
    assert (relinked.outcome, relinked.is_waiting) == ("confirming", True)
    response = developer_client.get(relinked.get_absolute_url(), follow=True)
    words = words_of(response)
    assert "This connection uses alice@example.com . You have just signed in as" in words
    assert "bob@example.com , which is another account" in words
    assert account() == "alice@example.com"
    status = developer_client.get(reverse("flow_status", args=[relinked.pk]))
    assert "Continue in the other window" in words_of(status)


def test_replacing_keeps_the_connection_and_the_authorization(
    developer_client, connection, relinked, sandbox
):
    before = Authorization.objects.get()
    flow = decide(developer_client, relinked)
    assert flow.outcome == "completed"
    after = Authorization.objects.get()
    assert (after.pk, after.connection_id) == (before.pk, connection.pk)
    assert account() == "bob@example.com"
    assert not PendingGrant.objects.exists()
    assert Credential.objects.count() == 1
    event = Event.objects.get(action="authorization.replaced")
    assert event.details["instead_of"] == ["alice@example.com"]


def test_keeping_drops_the_new_grant(developer_client, connection, relinked, sandbox):
    flow = decide(developer_client, relinked, "keep")
    assert flow.outcome == "failed"
    assert "alice@example.com is still used." in flow.problem
    assert account() == "alice@example.com"
    assert not PendingGrant.objects.exists()


def test_it_is_decided_once(developer_client, connection, relinked):
    page = developer_client.get(relinked.get_absolute_url())["Location"]
    developer_client.post(page, {"answer": "keep"})
    assert developer_client.post(page, {"answer": "replace"}).status_code == 404
    assert account() == "alice@example.com"


def test_without_an_answer_nothing_is_left(developer_client, connection, relinked):
    page = developer_client.get(relinked.get_absolute_url())["Location"]
    past = timezone.now() - timedelta(seconds=1)
    PendingGrant.objects.update(expires_at=past)
    Flow.objects.update(expires_at=past)
    assert "more than" not in words_of(developer_client.get(page))
    developer_client.post(page, {"answer": "replace"})
    assert account() == "alice@example.com"
    assert replacing.drop_expired() == 1
    assert not PendingGrant.objects.exists()
    assert Flow.objects.get(pk=relinked.pk).outcome == "failed"


def test_others_cannot_decide(developer_client, connection, relinked, signed_in, super_admin):
    page = developer_client.get(relinked.get_absolute_url())["Location"]
    assert signed_in(super_admin).post(page, {"answer": "replace"}).status_code == 404
    assert account() == "alice@example.com"


def test_a_stopped_flow_does_not_replace(developer_client, connection, relinked):
    page = developer_client.get(relinked.get_absolute_url())["Location"]
    Flow.objects.filter(pk=relinked.pk).stop("They left.")
    developer_client.post(page, {"answer": "replace"})
    assert account() == "alice@example.com"
    assert not PendingGrant.objects.exists()


def test_the_same_account_is_not_asked(developer_client, connection, alice):
    assert authorize(developer_client, connection, alice).outcome == "completed"


def test_no_secret_is_readable(connection, relinked):
    pending = PendingGrant.objects.get()
    token = pending.grant.reveal()["secret"]["access_token"]
    stored = PendingGrant.objects.values_list("grant", flat=True)
    assert token not in str(list(stored))
    assert token not in str(PendingGrant.objects.values("label", "replaces", "parameters").get())


def test_a_typed_credential_asks_as_well(developer_client, connect, grant, network):
    connection = connect("sandbox_api_key", name="Orders")
    authorization = grant(connection, account_id="alice", secret={"key": "old"})
    network.get("http://localhost:9000/key/api/me", json={"email": "bob@example.com", "id": "bob"})
    page = reverse("connection_authorize", args=[connection.pk])
    response = developer_client.post(page, {"key": "new"})
    assert response.status_code == 303
    assert account() == "alice@example.com"
    assert "bob@example.com" in words_of(developer_client.get(response["Location"]))
    done = developer_client.post(response["Location"], {"answer": "replace"}, follow=True)
    assert "is authorized as bob@example.com" in words_of(done)
    authorization.refresh_from_db()
    assert authorization.credential.open_secret() == {"key": "new"}
    assert Credential.objects.count() == 1
