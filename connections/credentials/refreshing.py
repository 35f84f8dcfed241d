"""Keep a credential fresh: one refresh for many callers (RFC 6749 section 6).

A refresh token may be spent by the request, so nobody asks without the lease, no
transaction is open across the network, and the answer is journalled before it is read::

    lease taken and committed → request sent → raw answer journalled → parsed → stored
    where version and lease are still ours

A process may die at each arrow (``leases.py``). Whoever comes next takes up the answer
that it journalled; else uses the access token while it lives; else presents the refresh
token once more. Refused then, the outcome is unknown: only a person can help. What each
answer does to the row and to the caller is in ``refresh_result.py``.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TypeVar

from django.utils import timezone

from connections.authorizations.credential_erasure import revoke_late_tokens
from connections.authorizations.granting import seconds_from_now
from connections.authorizations.state_changes import mark_ended
from connections.credentials import leases, refresh_result
from connections.credentials.leases import Lease
from connections.credentials.refresh_result import NeedsAuthorization, NotRenewed, store_tokens
from connections.models import Authorization, Credential
from connectors.errors import CredentialRefused, ServiceError
from connectors.http.http_client import ServiceResponse
from connectors.oauth2 import authorization_code
from connectors.oauth2.token_response import TokenAnswer, read_token_answer
from console.database import release_connection, retry_while_down
from console.monitoring.metrics import REFRESHES

MARGIN = timedelta(minutes=15)
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.1

T = TypeVar("T")


def fresh_secret(credential: Credential, *, force: bool = False) -> Mapping[str, str]:
    """Return the secret, refreshed if it ends soon (or at once with ``force``).

    Raise :class:`NeedsAuthorization` where the grant is gone and :class:`NotRenewed` where
    the service gives no token now and the old one has ended, or was refused (``force``).
    """
    seen = credential.version
    give_up = time.monotonic() + WAIT_SECONDS
    now = timezone.now()
    while True:
        secret = credential.secret.reveal()
        wanted = (force and credential.version == seen) or is_refresh_due(credential, now)
        if not wanted or not secret.get("refresh_token"):
            if credential.has_ended:
                raise _ended(credential)
            return secret
        if credential.refused:
            return _while_it_lives(
                credential, secret, NeedsAuthorization(credential.refused), now, force=force
            )
        lease = leases.acquire(credential, margin=None if force else _margin(credential))
        if lease:
            return _refresh(credential, lease, secret, force=force)
        try:
            now = leases.reload(credential)
            while leases.is_held(credential, now):
                if time.monotonic() > give_up:
                    raise refresh_in_progress(credential.connector.name)
                release_connection()
                time.sleep(POLL_SECONDS)
                now = leases.reload(credential)
        except Credential.DoesNotExist:
            return _newer(credential)
        if seconds := leases.seconds_until_retry(credential, now):
            return _while_it_lives(
                credential,
                credential.secret.reveal(),
                _left_alone(credential, seconds),
                now,
                force=force and credential.version == seen,
            )


def refresh_in_progress(service: str) -> NotRenewed:
    """Return what is said to who has waited long enough for somebody else's refresh."""
    return NotRenewed(f"{service} is still being asked for a new access token.", retry_after=1)


def with_one_retry(credential: Credential, attempt: Callable[[Mapping[str, str]], T]) -> T:
    """Make the check with the secret; a refused access token is renewed once and tried again.

    ``attempt`` raises ``CredentialRefused`` where the service refuses the secret. What it
    raises in the end is meant for a token that was just obtained, or for a secret that
    nothing renews.
    """
    secret = fresh_secret(credential)
    try:
        return attempt(secret)
    except CredentialRefused:
        if credential.auth_type != "oauth2":
            raise
        renewed = fresh_secret(credential, force=True)
        if renewed == secret:  # there is nothing to renew it with
            raise
    credential.refresh_from_db()
    return attempt(renewed)


def is_refresh_due(credential: Credential, now: datetime | None = None) -> bool:
    """Tell whether the access token ends within 15 minutes or half of its lifetime.

    One that is traded for the next is due when half of its lifetime is over.
    """
    due = refresh_due_at(credential)
    return due is not None and due < (now or timezone.now())


def refresh_due_at(credential: Credential) -> datetime | None:
    """Return from when on the access token is renewed, where it ends at all."""
    if credential.expires_at is None:
        return None
    return credential.expires_at - _margin(credential)


def _margin(credential: Credential) -> timedelta:
    if credential.expires_at is None:
        return timedelta(0)
    half = (credential.expires_at - credential.obtained_at) / 2
    settings = credential.connector.oauth2
    # What is traded for the next token must live: once it has ended, only a person can help.
    return half if settings and settings.exchange else min(MARGIN, half)


def _refresh(
    credential: Credential, lease: Lease, secret: Mapping[str, str], *, force: bool
) -> Mapping[str, str]:
    now = timezone.now()
    left_behind = _left_behind(credential)
    ends = credential.expires_at
    if lease.inherited and not left_behind and ends and ends > now and not force:
        leases.release_until(credential, lease, ends)
        return secret
    try:
        # Opened here: a client's secret that does not open gives the lease back, too.
        client = credential.client.credentials
        release_connection()
        answer = left_behind or authorization_code.refresh(
            credential.connector,
            client=client,
            refresh_token=secret["refresh_token"],
            values=credential.values,
            scopes=credential.scopes_granted,
            journal=lambda raw: leases.journal_response(credential, lease, raw),
        )
    except ServiceError as error:
        is_clear = isinstance(error, CredentialRefused)
        _count(credential, "refused" if is_clear else "unavailable")
        keep = refresh_result.store_refusal if is_clear else refresh_result.store_failure
        told = keep(credential, lease, error)
        if told is None:
            return _newer(credential)
        return _while_it_lives(credential, secret, told, timezone.now(), force=force)
    new = {
        "access_token": answer.access_token,
        # A service that does not rotate sends none: the old one stays (RFC 6749 section 6).
        "refresh_token": answer.refresh_token or secret["refresh_token"],
    }
    if not retry_while_down(lambda: store_tokens(credential, lease, answer, new, early=force)):
        revoke_late_tokens(credential, new, expires_at=seconds_from_now(answer.expires_in))
        return _newer(credential)
    _count(credential, "renewed")
    return new


def _count(credential: Credential, outcome: str) -> None:
    REFRESHES.labels(credential.connector_slug, outcome).inc()


def _while_it_lives(
    credential: Credential,
    secret: Mapping[str, str],
    error: ServiceError,
    now: datetime,
    *,
    force: bool,
) -> Mapping[str, str]:
    """Return the access token that is still good, or raise what kept it from being renewed."""
    if force or not _lives(credential, now):
        raise error
    return secret


def _lives(credential: Credential, now: datetime) -> bool:
    return credential.expires_at is not None and credential.expires_at > now


def _newer(credential: Credential) -> Mapping[str, str]:
    """Return what came in while this process asked: a new grant wins."""
    row = Credential.objects.filter(pk=credential.pk).first()
    if row is None:
        raise NeedsAuthorization("This authorization was replaced meanwhile.")
    return row.secret.reveal()


def _left_behind(credential: Credential) -> TokenAnswer | None:
    """Return the answer that an earlier owner of the lease journalled and did not store."""
    if not credential.journal:
        return None
    connector = credential.connector
    try:
        answer = ServiceResponse(
            service=connector.name,
            status=200,
            headers={},
            body=credential.journal.reveal().encode(),
        )
        return read_token_answer(
            connector,
            connector.oauth2,  # type: ignore[arg-type]
            answer,
            values=credential.values,
            sent=(),
            refreshing=True,
        )
    except ServiceError:
        return None


def _left_alone(credential: Credential, seconds: float) -> NotRenewed:
    reason = credential.renewal_problem or (
        f"{credential.connector.name} gave no new access token when it was asked last."
    )
    wait = max(1, math.ceil(seconds))
    return NotRenewed(f"{reason} The console asks again in {wait} s.", retry_after=wait)


def _ended(credential: Credential) -> NeedsAuthorization:
    reason = (
        f"The access to {credential.connector.name} has ended, and the service gave nothing "
        "to renew it with."
    )
    mark_ended(credential, Authorization.State.NEEDS_AUTHORIZATION, reason)
    return NeedsAuthorization(reason)
