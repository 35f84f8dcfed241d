from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Connection, Credential
from console.audit.models import Event
from tests.connections.flow_steps import authorize, words_of

pytestmark = pytest.mark.usefixtures("oauth_client")


def press(client, connection: Connection) -> str:
    """Press *Test* and return the page that follows."""
    authorization = connection.authorizations.get()
    return words_of(
        client.post(reverse("authorization_test", args=[authorization.pk]), follow=True)
    )


def expire() -> None:
    now = timezone.now()
    Credential.objects.update(
        obtained_at=now - timedelta(hours=2), expires_at=now - timedelta(hours=1)
    )


def test_it_works(developer_client, connection, sandbox):
    Credential.objects.update(checked_at=None)
    assert "It works: Sandbox answered as alice@example.com." in press(developer_client, connection)
    assert (sandbox.counts()["api"], sandbox.counts()["token"]) == (1, 0)
    assert Credential.objects.get().checked_at is not None


def test_it_refreshes_an_expired_token(developer_client, connection, sandbox):
    before = Credential.objects.get()
    expire()

    assert "It works" in press(developer_client, connection)

    after = Credential.objects.get()
    assert sandbox.counts()["token"] == 1
    assert after.version == before.version + 1
    assert after.secret.reveal() != before.secret.reveal()
    assert after.journal is None
    assert after.expires_at > timezone.now()


def test_a_refused_token_is_refreshed_once(developer_client, connection, sandbox):
    credential = Credential.objects.get()
    credential.secret = credential.secret.reveal() | {"access_token": "withdrawn"}
    credential.save()

    assert "It works" in press(developer_client, connection)
    assert (sandbox.counts()["api"], sandbox.counts()["token"]) == (2, 1)


def test_a_token_that_stays_refused_needs_authorization(developer_client, connection, sandbox):
    sandbox.switches(api="revoked")

    page = press(developer_client, connection)

    assert "Sandbox refused" in page
    assert (sandbox.counts()["api"], sandbox.counts()["token"]) == (2, 1)
    authorization = connection.authorizations.get()
    assert authorization.state == Authorization.State.NEEDS_AUTHORIZATION
    assert authorization.reason in page


def test_a_grant_that_was_withdrawn_needs_authorization(developer_client, connection, sandbox):
    expire()
    sandbox.switches(token="revoked")

    page = press(developer_client, connection)

    authorization = connection.authorizations.get()
    assert authorization.state == Authorization.State.NEEDS_AUTHORIZATION
    assert "no longer accepts this authorization" in authorization.reason
    assert authorization.reason in page
    assert sandbox.counts()["api"] == 0


def test_it_says_when_it_works_again(developer_client, connection, sandbox):
    sandbox.switches(api="revoked")
    press(developer_client, connection)
    sandbox.reset()

    press(developer_client, connection)

    authorization = connection.authorizations.get()
    assert (authorization.state, authorization.reason) == (Authorization.State.ACTIVE, "")


@pytest.mark.parametrize("mode", ["500", "html", "empty", "redirect"])
def test_an_outage_keeps_the_authorization(developer_client, connection, sandbox, mode):
    before = Credential.objects.values("secret", "version", "kept", "scopes_granted").get()
    sandbox.switches(api=mode)

    page = press(developer_client, connection)

    assert "It works" not in page
    assert connection.authorizations.get().state == Authorization.State.ACTIVE
    assert Credential.objects.values(*before).get() == before
    assert sandbox.counts()["elsewhere"] == 0


def test_without_a_refresh_token_it_says_that_access_has_ended(developer_client, connection):
    credential = Credential.objects.get()
    credential.secret = {"access_token": "x", "refresh_token": ""}
    credential.expires_at = credential.ends_at = timezone.now() - timedelta(hours=1)
    credential.save()

    assert "has ended" in press(developer_client, connection)
    assert connection.authorizations.get().state == Authorization.State.NEEDS_AUTHORIZATION


def test_refused_typed_credentials_need_authorization(developer_client, connect, grant, sandbox):
    connection = connect("sandbox_basic")
    grant(connection, secret={"username": "alice", "password": "changed"})
    assert "refused" in press(developer_client, connection)
    assert connection.authorizations.get().state == Authorization.State.NEEDS_AUTHORIZATION
    assert sandbox.counts()["api"] == 1


def test_it_says_that_there_is_nothing_to_test(developer_client, connection):
    Authorization.objects.update(credential=None, state=Authorization.State.REVOKED)
    assert "not authorized yet" in press(developer_client, connection)


def test_an_unreadable_secret_shows_an_error(developer_client, connection, settings, sandbox):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    assert "It works" not in press(developer_client, connection)
    assert sandbox.counts()["api"] == 0


def test_it_learns_the_account_that_authorizing_could_not_look_up(
    developer_client, connect, alice, sandbox
):
    connection = connect()
    sandbox.switches(api="500")
    authorize(developer_client, connection, alice)
    sandbox.switches(api="ok")

    page = press(developer_client, connection)

    credential = Credential.objects.get()
    assert (credential.label, credential.account_id != "") == ("alice@example.com", True)
    assert "Authorized as alice@example.com" in page
    event = Event.objects.get(action="authorization.labeled")
    assert event.details["was"] == "Sandbox Account 1"


@pytest.mark.parametrize("label", ["Main account", "Sandbox Account", "Sandbox Account of Ann"])
def test_it_keeps_a_label_that_a_person_chose(developer_client, connection, label):
    Credential.objects.update(label=label)
    assert f"Authorized as {label}" in press(developer_client, connection)
    assert Credential.objects.get().label == label
