"""Leases of processes that died, and of processes with a wrong clock."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from connections.credentials import leases, refreshing
from connections.credentials.refreshing import NeedsAuthorization, fresh_secret
from connections.models import Authorization, Credential

pytestmark = pytest.mark.usefixtures("oauth_client")


@pytest.fixture
def left(connection) -> Credential:
    """Return a credential that is due, with the lease of a process that died during its request."""
    row = Credential.objects.get()
    now = timezone.now()
    row.obtained_at, row.expires_at = now - timedelta(hours=1), now + timedelta(minutes=5)
    row.lease_owner, row.attempt = "gone", 1
    row.lease_until = now - timedelta(seconds=1)
    row.save()
    return row


def again() -> Credential:
    return Credential.objects.get()


def end(credential: Credential) -> None:
    Credential.objects.filter(pk=credential.pk).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )


def test_while_the_old_token_is_valid_the_refresh_token_is_not_sent_again(left, sandbox):
    old = left.secret.reveal()
    assert fresh_secret(again()) == old
    assert fresh_secret(again()) == old
    assert sandbox.counts()["token"] == 0
    row = again()
    assert (row.lease_owner, row.lease_until, row.attempt) == ("", None, 2)
    assert row.retry_at == row.expires_at


def test_after_its_expiry_the_refresh_token_is_sent_once_more(left, sandbox):
    old = left.secret.reveal()
    end(left)
    assert fresh_secret(again()) != old
    assert sandbox.counts()["token"] == 1
    assert again().attempt == 0


def test_if_that_is_refused_the_outcome_is_unknown_and_no_request_follows(left, sandbox):
    end(left)
    sandbox.switches(token="revoked")
    for _ in range(3):
        with pytest.raises(NeedsAuthorization):
            fresh_secret(again())
    assert sandbox.counts()["token"] == 1
    assert Authorization.objects.get().state == Authorization.State.UNKNOWN_OUTCOME


def test_a_journaled_response_is_used_while_the_old_token_is_valid(left, sandbox):
    left.journal = json.dumps({"access_token": "theirs", "token_type": "Bearer", "expires_in": 60})
    left.save()
    assert fresh_secret(again())["access_token"] == "theirs"
    assert sandbox.counts()["token"] == 0


@pytest.mark.parametrize("skew", [-timedelta(minutes=10), timedelta(minutes=10)])
def test_a_lease_expires_by_the_clock_of_the_database(left, skew, monkeypatch):
    """With a wrong clock, a process neither takes a held lease nor waits for an expired one."""
    monkeypatch.setattr(timezone, "now", lambda: _real_now() + skew)
    margin = timedelta(hours=1)
    assert leases.acquire(again(), margin=margin).inherited
    assert leases.acquire(again(), margin=margin) is None
    until = again().lease_until - _real_now()
    assert timedelta(seconds=55) < until <= timedelta(seconds=60)


def test_a_clock_that_is_ahead_refreshes_nothing_that_is_not_due(connection, sandbox, monkeypatch):
    old = again().secret.reveal()
    monkeypatch.setattr(timezone, "now", lambda: _real_now() + timedelta(minutes=50))
    for _ in range(5):
        assert fresh_secret(again()) == old
    assert sandbox.counts()["token"] == 0


def test_an_owner_that_lost_its_lease_stores_nothing(left):
    end(left)
    slow, quick = again(), again()
    lease = leases.acquire(slow, margin=None)
    Credential.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert fresh_secret(quick)["access_token"]
    assert leases.lock_row(slow, lease) is None
    assert refreshing._replacement(slow) == again().secret.reveal()


def _real_now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.django_db(transaction=True)
def test_a_command_finishes_its_refresh_after_sigterm(left, sandbox, settings):
    """SIGTERM arrives during a request to the token endpoint."""
    end(left)
    old = timezone.now() - timedelta(days=2)
    Credential.objects.update(obtained_at=old, lease_owner="", lease_until=None, attempt=0)
    sandbox.switches(token="slow", slow_seconds=2)
    environment = {
        **os.environ,
        "DATABASE_URL": _database_url(settings),
        "SANDBOX_URL": sandbox.url,
        "ALLOWED_PRIVATE_HOSTS": settings.ALLOWED_PRIVATE_HOSTS[0],
    }
    command = [sys.executable, "manage.py", "refresh_due"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        give_up = time.monotonic() + 30
        while not sandbox.counts()["token"] and process.poll() is None:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[0]
    assert process.returncode == 0
    assert "1 visited: 1 done" in said
    row = again()
    assert (row.lease_owner, row.attempt, row.version) == ("", 0, 2)


def _database_url(settings) -> str:
    """Return the URL of the test database, which is not that of the settings."""
    name = settings.DATABASES["default"]["NAME"]
    before, question, query = os.environ["DATABASE_URL"].partition("?")
    if before.startswith("sqlite"):
        return f"sqlite:///{name}"
    return f"{before.rpartition('/')[0]}/{name}{question}{query}"
