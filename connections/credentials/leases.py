"""The refresh lease: a row lock with an expiry, so that only one process refreshes a credential.

All times are those of the database, because the clocks of processes differ and jump. An expired
lease that still has an owner shows that a process died during its request.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from connections.models import Credential, OAuthClient
from connectors.definitions.grant_end import TEMPORARY_STATUSES
from connectors.errors import ClientRefused, ServiceError, ServiceRefused
from console.database import retry_while_down

#: Longer than the total deadline of a request, so that a slow response keeps its lease.
LEASE = timedelta(seconds=60)
#: The longest time between two requests to a service that is down or asks to wait.
MAX_WAIT = timedelta(minutes=15)
#: After so many equal refusals without a reason, over so long a time, a person is needed. A
#: service that restarts or is updated stays below these limits. A longer outage loses no grant
#: either, because the console continues to ask.
REFUSALS = 5
REFUSED_FOR = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to refresh; ``inherited`` if the last owner died at an unknown step."""

    owner: str
    inherited: bool


def acquire(credential: Credential, *, margin: timedelta | None) -> Lease | None:
    """Acquire the lease, or return ``None``.

    It is not available while another process holds it, before ``retry_at``, after the row has
    changed, and while the access token is valid for longer than ``margin``.
    """
    rows = Credential.objects.filter(
        Q(lease_until=None) | Q(lease_until__lt=Now()),
        Q(retry_at=None) | Q(retry_at__lte=Now()),
        pk=credential.pk,
        version=credential.version,
        refused="",
    )
    if margin is not None:
        rows = rows.filter(expires_at__lt=Now() + margin)
    owner = secrets.token_hex(16)
    with transaction.atomic():
        last_owner = rows.select_for_update().values_list("lease_owner", flat=True).first()
        if last_owner is None:
            return None
        Credential.objects.filter(pk=credential.pk).update(
            lease_owner=owner, lease_until=Now() + LEASE, attempt=F("attempt") + 1
        )
    credential.refresh_from_db(fields=["attempt", "failures", "journal", "refusal"])
    return Lease(owner=owner, inherited=bool(last_owner))


def reload(credential: Credential) -> datetime:
    """Reload the row and return the current time of the database.

    Raise ``Credential.DoesNotExist`` if a new grant has replaced it.
    """
    credential.refresh_from_db()
    return Credential.objects.values_list(Now(), flat=True).get(pk=credential.pk)


def is_held(credential: Credential, now: datetime) -> bool:
    """Tell whether another process holds an unexpired lease."""
    return credential.lease_until is not None and credential.lease_until >= now


def seconds_until_retry(credential: Credential, now: datetime) -> float:
    """Return the seconds until the next request is allowed; 0 if it is allowed now."""
    if credential.retry_at is None:
        return 0
    return max(0, (credential.retry_at - now).total_seconds())


def lock_row(credential: Credential, lease: Lease) -> Credential | None:
    """Lock and return the row, unless it has changed or another process holds the lease.

    The row has the time of the database as ``now``.
    """
    return (
        Credential.objects.select_for_update()
        .filter(pk=credential.pk, version=credential.version, lease_owner=lease.owner)
        .annotate(now=Now())
        .first()
    )


def journal_response(credential: Credential, lease: Lease, raw: bytes) -> None:
    """Store the raw token response, so that it survives if this process dies."""
    retry_while_down(lambda: _write_journal(credential, lease, raw))


def _write_journal(credential: Credential, lease: Lease, raw: bytes) -> None:
    with transaction.atomic():
        if row := lock_row(credential, lease):
            row.journal = raw.decode("utf-8", "replace")
            row.save(update_fields=["journal"])


def release_after_failure(credential: Credential, lease: Lease, error: ServiceError) -> bool:
    """Release the lease after a failure, and set the time of the next request.

    The attempt stays counted if it may have used up the refresh token. Return whether the
    service has refused for so long that only a person can help.
    """
    status = error.status or 0
    in_doubt = status >= 500 or (not error.certain and not 400 <= status < 500)
    refusal = unexplained_refusal(error)
    is_repeated = bool(refusal) and refusal == credential.refusal
    series: dict[str, Any] = {"refusals": F("refusals") + 1} if is_repeated else {}
    if status and not is_repeated:  # another response ends the series; no response does not
        series = {
            "refusal": refusal,
            "refusals": 1 if refusal else 0,
            "refusal_since": Now() if refusal else None,
        }
    _release(
        credential,
        lease,
        retry_at=Now() + backoff(credential.failures + 1, error.retry_after),
        failures=F("failures") + 1,
        attempt=F("attempt") - (0 if in_doubt else 1),
        renewal_problem=str(error)[:300],
        client_refused=isinstance(error, ClientRefused),
        **series,
    )
    if not is_repeated:
        return False
    rows = Credential.objects.filter(pk=credential.pk, refusal=refusal, refusals__gte=REFUSALS)
    return retry_while_down(rows.filter(refusal_since__lte=Now() - REFUSED_FOR).exists)


def unexplained_refusal(error: ServiceError) -> str:
    """Return the status and code of a refusal that does not say whether the grant has ended.

    Return an empty string for temporary failures (no response, an overload, an outage) and for
    a refused client, which a super admin can fix.
    """
    status = error.status or 0
    refused = 400 <= status < 500 or (status and isinstance(error, ServiceRefused))
    if (
        not refused
        or status >= 500
        or status in TEMPORARY_STATUSES
        or isinstance(error, ClientRefused)
    ):
        return ""
    return f"{status} {error.code}".strip()


def clear_client_refusal(client: OAuthClient) -> None:
    """Clear the refusal of a client that was corrected, so that the next call refreshes again."""
    Credential.objects.filter(client=client, client_refused=True).update(
        client_refused=False, renewal_problem="", retry_at=None, failures=0
    )


def release_until(credential: Credential, lease: Lease, until: datetime) -> None:
    """Release the lease and allow no request before ``until``; the attempt stays counted."""
    _release(credential, lease, retry_at=until)


def backoff(failures: int, asked: float | None) -> timedelta:
    """Return the delay before the next request: exponential backoff with jitter.

    It is 1 to 2 s after the first failure and doubles with each one. It is at least what the
    service has ``asked`` for, in seconds, and at most :data:`MAX_WAIT`. The jitter keeps callers
    and the credentials of one service from retrying at the same time.
    """
    doubled = 2.0 ** min(failures, 12) * random.uniform(0.5, 1)  # noqa: S311
    wanted = max(doubled, (asked or 0) * random.uniform(1, 1.1))  # noqa: S311
    return min(timedelta(seconds=wanted), MAX_WAIT)


def _release(credential: Credential, lease: Lease, **values: object) -> None:
    held = Credential.objects.filter(pk=credential.pk, lease_owner=lease.owner)
    retry_while_down(lambda: held.update(lease_owner="", lease_until=None, **values))
