"""Handle 401 Unauthorized from the API of a service.

The access token may have expired early, the grant may have ended, or only this call is refused:
some services also answer 401 for a missing permission. So the token is refreshed once. If that
does not help, the connector's check call decides, made with the new token. **A check with a token
that may have expired proves nothing about the grant.** If the credential cannot be refreshed (a
key, a password, an access token without a refresh token), the check with it decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from threading import Lock
from typing import TypeVar

from connections.credentials import leases
from connections.credentials.refreshing import WAIT_SECONDS, NeedsAuthorization, fresh_secret
from connections.credentials.testing import (
    call_check,
    record_failure,
    record_refusal,
    record_success,
)
from connections.models import Credential
from connectors.errors import CredentialRefused, ServiceError
from console.database import release_connection

#: The least time between two checks of one credential because of refused calls.
CHECK_EVERY = timedelta(minutes=1)

T = TypeVar("T")

#: One thread of a process checks a credential; the others wait and use its result.
_checking = [Lock() for _ in range(64)]


def call_and_retry(credential: Credential, attempt: Callable[[Mapping[str, str]], T]) -> T:
    """Call ``attempt`` with the secret; if the API answers 401, refresh and retry once.

    ``attempt`` raises ``CredentialRefused`` for a 401. If that reaches the caller, the refusal
    is about this call only. Raise ``NeedsAuthorization`` or ``NotRenewed`` as
    :func:`after_refusal`.
    """
    secret = fresh_secret(credential)
    try:
        try:
            return attempt(secret)
        except CredentialRefused:
            newer = handle_unauthorized(credential, secret)
            if newer is None:
                raise
        try:
            return attempt(newer)
        except CredentialRefused:
            handle_unauthorized(credential, newer, just_obtained=True)
            raise
    except Credential.DoesNotExist:
        raise NeedsAuthorization("This authorization was replaced in the meantime.") from None


def handle_unauthorized(
    credential: Credential, secret: Mapping[str, str], *, just_obtained: bool = False
) -> Mapping[str, str] | None:
    """Return a newer secret to retry the call with, after a 401 for ``secret``.

    ``None`` means that the credential is valid as far as is known, and the refusal is about the
    call. Raise :class:`NeedsAuthorization` if the grant has ended,
    :class:`~connections.credentials.refreshing.NotRenewed` if no new token is available now, and
    ``Credential.DoesNotExist`` if a new grant has replaced it.

    However many calls are refused with a token, it is refreshed early once. The new token is
    refreshed early only if the check refuses it too, or if the last refresh has failed.
    """
    leases.reload(credential)
    if _is_newer(credential, secret):
        return fresh_secret(credential)
    renewable = credential.has_refresh_token
    if renewable and (credential.renewal_problem or not credential.renewed_early):
        return _renewed(credential, secret)
    release_connection()  # do not hold a database connection while waiting for a service
    lock = _checking[hash(credential.pk) % len(_checking)]
    # Without a refresh, waiting for the other thread has no benefit.
    if not lock.acquire(timeout=WAIT_SECONDS if renewable else 0):
        return None
    try:
        return _checked(credential, secret, proves=just_obtained or not renewable)
    finally:
        lock.release()


def _checked(
    credential: Credential, secret: Mapping[str, str], *, proves: bool
) -> Mapping[str, str] | None:
    """Make the check call; ``proves`` says whether a refusal ends the authorization."""
    now = leases.reload(credential)
    if _is_newer(credential, secret):
        return fresh_secret(credential)
    if _was_checked(credential, now):
        return None
    release_connection()
    try:
        account = call_check(credential, secret)
    except CredentialRefused as error:
        if not proves:
            return _renewed(credential, secret)
        leases.reload(credential)
        if _is_newer(credential, secret):
            return fresh_secret(credential)
        record_refusal(credential, error)
        raise NeedsAuthorization(str(error)) from None
    except ServiceError as error:
        record_failure(credential, error)
        return None  # inconclusive: the 401 of the service is passed on
    record_success(credential, account)
    return None


def _renewed(credential: Credential, secret: Mapping[str, str]) -> Mapping[str, str] | None:
    newer = fresh_secret(credential, force=True)
    return newer if newer != secret else None


def _is_newer(credential: Credential, secret: Mapping[str, str]) -> bool:
    return credential.open_secret() != secret


def _was_checked(credential: Credential, now: datetime) -> bool:
    """Tell whether this token was checked a moment ago."""
    checked_at = credential.checked_at
    if checked_at is None or checked_at < credential.obtained_at:
        return False
    return now - checked_at < CHECK_EVERY
