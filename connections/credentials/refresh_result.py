"""Store the result of a refresh, and return the error for the caller.

===========================  ==============================================================
a new token                  stored; earlier problems are cleared
a clear refusal              a person is needed, and no refresh is tried again: this is
                             ``invalid_grant``, or what the definition says
a refused OAuth client       only the reason is stored, until the client is corrected or a
                             refresh succeeds: ``NotRenewed``
an unexplained refusal       the same; after ``REFUSALS`` in ``REFUSED_FOR`` a person is
                             needed, but refreshes continue and may succeed
no response, 429, 5xx        nothing changes: ``NotRenewed``
===========================  ==============================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from connections.authorizations.state_changes import mark_ended, mark_recovered
from connections.credentials import leases
from connections.credentials.leases import Lease
from connections.models import Authorization, Credential
from connections.models.reason_code import ReasonCode
from connectors.errors import CredentialRefused, ServiceError
from connectors.oauth2.token_response import TokenResponse

#: Two expiry times that are closer than this are the same time.
SAME_MOMENT = timedelta(seconds=30)


class NeedsAuthorization(CredentialRefused):
    """The grant has ended; a person must authorize again."""


class NotRenewed(ServiceError):
    """No new access token is available now; try again after ``retry_after`` seconds."""

    retry_after: float


def store_tokens(
    credential: Credential,
    lease: Lease,
    answer: TokenResponse,
    secret: Mapping[str, str],
    *,
    early: bool,
) -> bool:
    """Store the new tokens; return whether the lease was still held.

    ``early`` says that the previous token was refreshed before its expiry.
    """
    with transaction.atomic():
        row = leases.lock_row(credential, lease)
        if row is None:
            return False
        now: datetime = row.now  # type: ignore[attr-defined]  # annotated by lock_row
        recovers = row.refusals >= leases.REFUSALS
        row.secret, row.journal = secret, None
        row.kept = {**row.kept, **answer.kept}
        if answer.scopes is not None:
            row.scopes_granted = list(answer.scopes)
        if answer.refresh_expires_in is not None:
            ends_at = _after(now, answer.refresh_expires_in)
            row.is_extended = _extends(row, ends_at, now)
            row.ends_at = ends_at
        row.expires_at = _after(now, answer.expires_in) if answer.expires_in else None
        row.obtained_at, row.renewed_early = now, early
        row.version += 1
        row.lease_owner, row.lease_until, row.attempt = "", None, 0
        row.retry_at, row.failures = None, 0
        row.renewal_problem, row.client_refused = "", False
        row.refusal, row.refusals, row.refusal_since = "", 0, None
        row.save()
        if recovers and not row.check_problem:
            mark_recovered(row)
    return True


def store_refusal(credential: Credential, lease: Lease, error: ServiceError) -> ServiceError | None:
    """Store that the service refused the grant, unless the row has changed in the meantime.

    Return the error for the caller, or ``None`` if the row has changed.
    """
    reason = str(error)
    with transaction.atomic():
        row = leases.lock_row(credential, lease)
        if row is None:
            return None
        state, code = Authorization.State.NEEDS_AUTHORIZATION, ReasonCode.REFRESH_TOKEN_REFUSED
        now: datetime = row.now  # type: ignore[attr-defined]  # annotated by lock_row
        if credential.attempt > 1:  # an earlier attempt may have used up the refresh token
            state = Authorization.State.UNKNOWN_OUTCOME
            code = ReasonCode.REFRESH_OUTCOME_UNKNOWN
        elif row.ends_at is not None and row.ends_at <= now:
            code = ReasonCode.REFRESH_TOKEN_EXPIRED
        row.lease_owner, row.lease_until = "", None
        row.refused, row.renewal_problem, row.client_refused = reason[:300], "", False
        row.save(
            update_fields=[
                "lease_owner",
                "lease_until",
                "refused",
                "renewal_problem",
                "client_refused",
            ]
        )
        mark_ended(row, state, reason, code)
    return NeedsAuthorization(reason)


def store_failure(credential: Credential, lease: Lease, error: ServiceError) -> ServiceError | None:
    """Store that the refresh failed although the grant may still be valid.

    Return the error for the caller, or ``None`` if a new grant has replaced this one.
    """
    if leases.release_after_failure(credential, lease, error):
        minutes = round(leases.REFUSED_FOR.total_seconds() / 60)
        reason = (
            f"For more than {minutes} minutes {credential.connector.name} has refused to renew "
            f"the access without a reason ({leases.unexplained_refusal(error)}). The access has "
            "probably ended. The console continues to try."
        )
        mark_ended(
            credential,
            Authorization.State.NEEDS_AUTHORIZATION,
            reason,
            ReasonCode.REFRESH_REFUSED_WITHOUT_REASON,
        )
        # No calls are made with it now, so the background job tries (``renewal.py``).
        Credential.objects.filter(pk=credential.pk).update(renew_at=Now() + leases.MAX_WAIT)
        return NeedsAuthorization(reason)
    try:
        now = leases.reload(credential)
    except Credential.DoesNotExist:
        return None
    wait = max(1, math.ceil(leases.seconds_until_retry(credential, now)))
    return NotRenewed(str(error), retry_after=wait, status=error.status)


def _after(now: datetime, seconds: int) -> datetime:
    return now + timedelta(seconds=seconds)


def _extends(row: Credential, ends_at: datetime, now: datetime) -> bool:
    """Tell whether a refresh extends the end of the grant.

    Right after another refresh, the end may not move although refreshes extend it.
    """
    if row.ends_at is None or ends_at > row.ends_at + SAME_MOMENT:
        return True
    return row.is_extended and now - row.obtained_at < 2 * SAME_MOMENT
