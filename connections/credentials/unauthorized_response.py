"""What it means for a credential that a service's API refuses a call (401).

The access token may have ended before its time, the grant may be gone, or only this call is
refused: some services answer 401 to a missing permission, too. So the token is renewed once.
If that does not help, the connector's check decides, asked with the token that was just
obtained. **A check with a token that is known or suspected to have ended proves nothing
about the grant**; where nothing can renew the credential (a key, a password, an access
token without a refresh token), the credential is all there is, and the check does.
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

#: How often the check of one credential may be asked because a call was refused.
CHECK_EVERY = timedelta(minutes=1)

T = TypeVar("T")

#: One thread of a process checks a credential; the others wait and use what it found.
_checking = [Lock() for _ in range(64)]


def call_and_retry(credential: Credential, attempt: Callable[[Mapping[str, str]], T]) -> T:
    """Make an attempt; where the API refuses the credential, renew it and try once more.

    ``attempt`` raises ``CredentialRefused`` where the API does. What it raises in the end
    was meant for the attempt alone. Raise ``NeedsAuthorization`` or ``NotRenewed`` as
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
        raise NeedsAuthorization("This authorization was replaced meanwhile.") from None


def handle_unauthorized(
    credential: Credential, secret: Mapping[str, str], *, just_obtained: bool = False
) -> Mapping[str, str] | None:
    """Return a newer secret to repeat the call with, after the API has refused ``secret``.

    ``None`` means that the credential is good as far as is known: the refusal was meant for
    the call. Raise :class:`NeedsAuthorization` where the grant has ended,
    :class:`~connections.credentials.refreshing.NotRenewed` where no new token is to be had now, and
    ``Credential.DoesNotExist`` where a new grant has replaced it.

    However many calls are refused with a token, it is renewed early once. One that was
    obtained so is renewed early only where the check refuses it, too, or where the last
    attempt to renew it has failed.
    """
    leases.reload(credential)
    if _is_newer(credential, secret):
        return fresh_secret(credential)
    renewable = _is_renewable(credential)
    if renewable and (credential.renewal_problem or not credential.renewed_early):
        return _renewed(credential, secret)
    release_connection()  # nobody waits for a service with a connection of the database in hand
    lock = _checking[hash(credential.pk) % len(_checking)]
    # Where nothing renews it, waiting for the other thread would win nothing.
    if not lock.acquire(timeout=WAIT_SECONDS if renewable else 0):
        return None
    try:
        return _checked(credential, secret, proves=just_obtained or not renewable)
    finally:
        lock.release()


def _checked(
    credential: Credential, secret: Mapping[str, str], *, proves: bool
) -> Mapping[str, str] | None:
    """Ask the check; ``proves`` says whether its refusal ends the authorization."""
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
        return None  # this proves nothing either way: the service's own answer is passed on
    record_success(credential, account)
    return None


def _renewed(credential: Credential, secret: Mapping[str, str]) -> Mapping[str, str] | None:
    newer = fresh_secret(credential, force=True)
    return newer if newer != secret else None


def _is_newer(credential: Credential, secret: Mapping[str, str]) -> bool:
    return credential.secret.reveal() != secret


def _is_renewable(credential: Credential) -> bool:
    return credential.auth_type == "oauth2" and bool(
        credential.secret.reveal().get("refresh_token")
    )


def _was_checked(credential: Credential, now: datetime) -> bool:
    """Tell whether the check was asked with this token a moment ago."""
    checked_at = credential.checked_at
    if checked_at is None or checked_at < credential.obtained_at:
        return False
    return now - checked_at < CHECK_EVERY
