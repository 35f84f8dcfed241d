"""What a request for a new access token came to: in the row, and for the caller.

===========================  ==============================================================
a new token                  stored; whatever was wrong before is forgotten
a clear no                   a person is needed, and the service is never asked again: this is
                             ``invalid_grant``, or what the definition says
a refused OAuth client       nothing changes but the reason, which stays until the client is
                             corrected or a refresh works: ``NotRenewed``
a no without a reason        the same; after ``REFUSALS`` in ``REFUSED_FOR`` a person is
                             needed, but the service is asked again and may recover
no answer, 429, 5xx          nothing changes: ``NotRenewed``
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
from connectors.errors import CredentialRefused, ServiceError
from connectors.oauth2.token_response import TokenAnswer

#: Two ends of a grant that are closer than this are the same end.
SAME_MOMENT = timedelta(seconds=30)


class NeedsAuthorization(CredentialRefused):
    """Only a new authorization by a person helps."""


class NotRenewed(ServiceError):
    """No new access token is to be had now; ``retry_after`` says in how many seconds."""

    retry_after: float


def store_tokens(
    credential: Credential,
    lease: Lease,
    answer: TokenAnswer,
    secret: Mapping[str, str],
    *,
    early: bool,
) -> bool:
    """Write the new secret; tell whether it was still ours to write.

    ``early`` says that the token before it was renewed before its time.
    """
    with transaction.atomic():
        row = leases.lock_row(credential, lease)
        if row is None:
            return False
        now: datetime = row.now  # type: ignore[attr-defined]
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
    """The service says that the grant is gone: believe it unless somebody was faster.

    Return what the caller is told, or nothing where somebody was.
    """
    reason = str(error)
    with transaction.atomic():
        row = leases.lock_row(credential, lease)
        if row is None:
            return None
        state = Authorization.State.NEEDS_AUTHORIZATION
        if credential.attempt > 1:  # an earlier attempt, of unknown end, may have spent it
            state = Authorization.State.UNKNOWN_OUTCOME
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
        mark_ended(row, state, reason)
    return NeedsAuthorization(reason)


def store_failure(credential: Credential, lease: Lease, error: ServiceError) -> ServiceError | None:
    """The service gave no token, and did not say that the grant is gone: ask again later.

    Return what the caller is told, or nothing where a new grant has replaced this one.
    """
    if leases.release_after_failure(credential, lease, error):
        minutes = round(leases.REFUSED_FOR.total_seconds() / 60)
        reason = (
            f"For more than {minutes} minutes {credential.connector.name} has refused to renew "
            f"the access, and gives no reason ({leases.unexplained_refusal(error)}). The access has "
            "probably ended. The console goes on asking."
        )
        mark_ended(credential, Authorization.State.NEEDS_AUTHORIZATION, reason)
        # Nobody calls it any more, so the background asks (``renewal.py``).
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
    """Tell whether a renewal moves the end of the grant on; right after another it cannot."""
    if row.ends_at is None or ends_at > row.ends_at + SAME_MOMENT:
        return True
    return row.is_extended and now - row.obtained_at < 2 * SAME_MOMENT
