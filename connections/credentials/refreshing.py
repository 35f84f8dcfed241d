"""Refresh access tokens: one request for many callers (RFC 6749 section 6).

A request may use up the refresh token, so a process needs the lease to send it, no transaction
is open meanwhile, and the raw response is stored before it is parsed::

    lease acquired and committed → request sent → raw response journaled → parsed → stored
    if the version and the lease are unchanged

A process may die at each arrow (``leases.py``). The next owner of the lease uses the journaled
response; without one it uses the access token until it expires, and then sends the refresh token
again. If that is refused, the outcome is unknown and only a person can help.
``refresh_result.py`` says what each response means for the row and the caller.
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
from connections.models.reason_code import ReasonCode
from connectors.errors import CredentialRefused, ServiceError
from connectors.http.http_client import ServiceResponse
from connectors.oauth2 import refresh_request
from connectors.oauth2.token_response import TokenResponse, parse_token_response
from console.database import release_connection, retry_while_down
from console.monitoring.metrics import REFRESHES

MARGIN = timedelta(minutes=15)
WAIT_SECONDS = 20.0
POLL_SECONDS = 0.1

T = TypeVar("T")


def fresh_secret(credential: Credential, *, force: bool = False) -> Mapping[str, str]:
    """Return the secret, refreshed if it expires soon, or in any case with ``force``.

    Raise :class:`NeedsAuthorization` if the grant has ended. Raise :class:`NotRenewed` if the
    service issues no token now and the old one has expired or was refused (``force``).
    """
    seen = credential.version
    give_up = time.monotonic() + WAIT_SECONDS
    now = timezone.now()
    while True:
        secret = credential.open_secret()
        wanted = (force and credential.version == seen) or is_refresh_due(credential, now)
        if not wanted or not secret.get("refresh_token"):
            if credential.has_ended:
                raise _mark_ended(credential)
            return secret
        if credential.refused:
            return _unless_expired(
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
            return _replacement(credential)
        if seconds := leases.seconds_until_retry(credential, now):
            return _unless_expired(
                credential,
                credential.open_secret(),
                _retry_later(credential, seconds),
                now,
                force=force and credential.version == seen,
            )


def refresh_in_progress(service: str) -> NotRenewed:
    """Return the error for a caller that has waited too long for another refresh."""
    return NotRenewed(
        f"{service} has not yet answered the request for a new access token.", retry_after=1
    )


def with_one_retry(credential: Credential, attempt: Callable[[Mapping[str, str]], T]) -> T:
    """Call ``attempt`` with the secret; if the access token is refused, refresh and retry once.

    ``attempt`` raises ``CredentialRefused`` if the service refuses the secret. A refusal that
    reaches the caller is about a token just obtained, or about a secret without a refresh.
    """
    secret = fresh_secret(credential)
    try:
        return attempt(secret)
    except CredentialRefused:
        if credential.auth_type != "oauth2":
            raise
        renewed = fresh_secret(credential, force=True)
        if renewed == secret:  # it has no refresh token
            raise
    credential.refresh_from_db()
    return attempt(renewed)


def is_refresh_due(credential: Credential, now: datetime | None = None) -> bool:
    """Tell whether the access token expires within 15 minutes, or is past half of its lifetime.

    A token that is exchanged for the next one is due after half of its lifetime.
    """
    due = refresh_due_at(credential)
    return due is not None and due < (now or timezone.now())


def refresh_due_at(credential: Credential) -> datetime | None:
    """Return when the access token is due for a refresh; ``None`` if it does not expire."""
    if credential.expires_at is None:
        return None
    return credential.expires_at - _margin(credential)


def _margin(credential: Credential) -> timedelta:
    if credential.expires_at is None:
        return timedelta(0)
    half = (credential.expires_at - credential.obtained_at) / 2
    settings = credential.connector.oauth2
    # A token that is exchanged for the next one must be valid: after that a person is needed.
    return half if settings and settings.exchange else min(MARGIN, half)


def _refresh(
    credential: Credential, lease: Lease, secret: Mapping[str, str], *, force: bool
) -> Mapping[str, str]:
    now = timezone.now()
    journaled = _journaled_response(credential)
    ends = credential.expires_at
    if lease.inherited and not journaled and ends and ends > now and not force:
        leases.release_until(credential, lease, ends)
        return secret
    try:
        # Decrypted here: if that fails, the lease is released too.
        client = credential.client_credentials
        release_connection()
        answer = journaled or refresh_request.refresh(
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
        record = refresh_result.store_refusal if is_clear else refresh_result.store_failure
        result = record(credential, lease, error)
        if result is None:
            return _replacement(credential)
        return _unless_expired(credential, secret, result, timezone.now(), force=force)
    new = {
        "access_token": answer.access_token,
        # Without rotation there is no new refresh token, and the old one stays valid.
        "refresh_token": answer.refresh_token or secret["refresh_token"],
    }
    if not retry_while_down(lambda: store_tokens(credential, lease, answer, new, early=force)):
        revoke_late_tokens(credential, new, expires_at=seconds_from_now(answer.expires_in))
        return _replacement(credential)
    _count(credential, "renewed")
    return new


def _count(credential: Credential, outcome: str) -> None:
    REFRESHES.labels(credential.connector_slug, outcome).inc()


def _unless_expired(
    credential: Credential,
    secret: Mapping[str, str],
    error: ServiceError,
    now: datetime,
    *,
    force: bool,
) -> Mapping[str, str]:
    """Return the secret while the access token is valid; otherwise raise the error."""
    if force or not _is_valid(credential, now):
        raise error
    return secret


def _is_valid(credential: Credential, now: datetime) -> bool:
    return credential.expires_at is not None and credential.expires_at > now


def _replacement(credential: Credential) -> Mapping[str, str]:
    """Return the secret that was stored during this request, such as one of a new grant."""
    row = Credential.objects.filter(pk=credential.pk).first()
    if row is None:
        raise NeedsAuthorization("This authorization was replaced in the meantime.")
    return row.open_secret()


def _journaled_response(credential: Credential) -> TokenResponse | None:
    """Return the response that an earlier owner of the lease journaled and did not store."""
    if not credential.journal:
        return None
    connector, oauth2 = credential.connector, credential.connector.oauth2
    if oauth2 is None:
        return None
    try:
        answer = ServiceResponse(
            service=connector.name,
            status=200,
            headers={},
            body=credential.journal.reveal().encode(),
        )
        return parse_token_response(
            connector,
            oauth2,
            answer,
            values=credential.values,
            secrets=(),
            refreshing=True,
        )
    except ServiceError:
        return None


def _retry_later(credential: Credential, seconds: float) -> NotRenewed:
    reason = credential.renewal_problem or (
        f"{credential.connector.name} issued no new access token when it was asked last."
    )
    wait = max(1, math.ceil(seconds))
    return NotRenewed(f"{reason} The console tries again in {wait} s.", retry_after=wait)


def _mark_ended(credential: Credential) -> NeedsAuthorization:
    reason = (
        f"The access to {credential.connector.name} has ended, and the service issued no "
        "refresh token."
    )
    state = Authorization.State.NEEDS_AUTHORIZATION
    mark_ended(credential, state, reason, ReasonCode.ACCESS_EXPIRED)
    return NeedsAuthorization(reason)
