"""Who may ask for a credential's next token, and when: a lease in its row.

Times are the database's own: the clocks of processes differ, and jump. A lease that has run
out with an owner in it is the marker of a process that died while it asked.
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
from connectors.definitions.grant_end import PASSING
from connectors.errors import ClientRefused, ServiceError, ServiceRefused
from console.database import retry_while_down

#: Longer than the outbound module's total deadline, or a slow answer loses its lease.
LEASE = timedelta(seconds=60)
#: The longest that a service which is down, or asks for patience, is left alone.
MAX_WAIT = timedelta(minutes=15)
#: The same refusal without a reason, so often in a row and for so long, needs a person. It is
#: more and longer than a service that restarts or is being updated shows; a longer outage
#: costs no grant either, for the console goes on asking.
REFUSALS = 5
REFUSED_FOR = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to ask; ``inherited`` from an owner that died, nobody knows how far it came."""

    owner: str
    inherited: bool


def acquire(credential: Credential, *, margin: timedelta | None) -> Lease | None:
    """Take the lease, or return ``None`` where it is not to be had.

    That is while somebody else asks, the service is left alone, the row has changed, or, by
    the database's clock, more than ``margin`` of the access token's life is left.
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
        dead = rows.select_for_update().values_list("lease_owner", flat=True).first()
        if dead is None:
            return None
        Credential.objects.filter(pk=credential.pk).update(
            lease_owner=owner, lease_until=Now() + LEASE, attempt=F("attempt") + 1
        )
    credential.refresh_from_db(fields=["attempt", "failures", "journal", "refusal"])
    return Lease(owner=owner, inherited=bool(dead))


def reload(credential: Credential) -> datetime:
    """Read the row again, and return the time that it is in the database.

    Raise ``Credential.DoesNotExist`` where a new grant has replaced it.
    """
    credential.refresh_from_db()
    return Credential.objects.values_list(Now(), flat=True).get(pk=credential.pk)


def is_held(credential: Credential, now: datetime) -> bool:
    """Tell whether somebody is asking who may still come back."""
    return credential.lease_until is not None and credential.lease_until >= now


def seconds_until_retry(credential: Credential, now: datetime) -> float:
    """Return for how many seconds the service is left alone; 0 where it may be asked."""
    if credential.retry_at is None:
        return 0
    return max(0, (credential.retry_at - now).total_seconds())


def lock_row(credential: Credential, lease: Lease) -> Credential | None:
    """Lock and return the row, unless it has changed or the lease is somebody else's.

    ``now`` of the row is the time of the database.
    """
    return (
        Credential.objects.select_for_update()
        .filter(pk=credential.pk, version=credential.version, lease_owner=lease.owner)
        .annotate(now=Now())
        .first()
    )


def journal_response(credential: Credential, lease: Lease, raw: bytes) -> None:
    """Keep the raw answer, so that it is not lost with the process that reads it."""
    retry_while_down(lambda: _keep(credential, lease, raw))


def _keep(credential: Credential, lease: Lease, raw: bytes) -> None:
    with transaction.atomic():
        if row := lock_row(credential, lease):
            row.journal = raw.decode("utf-8", "replace")
            row.save(update_fields=["journal"])


def release_after_failure(credential: Credential, lease: Lease, error: ServiceError) -> bool:
    """Give the lease back after a failure, and leave the service alone for a while.

    The attempt stays counted where it may have spent the refresh token. Return whether the
    service has refused for so long that only a person can help.
    """
    status = error.status or 0
    in_doubt = status >= 500 or (not error.certain and not 400 <= status < 500)
    said = unexplained_refusal(error)
    again = bool(said) and said == credential.refusal
    series: dict[str, Any] = {"refusals": F("refusals") + 1} if again else {}
    if status and not again:  # another answer ends the series; no answer at all does not
        series = {
            "refusal": said,
            "refusals": 1 if said else 0,
            "refusal_since": Now() if said else None,
        }
    _give_back(
        credential,
        lease,
        retry_at=Now() + backoff(credential.failures + 1, error.retry_after),
        failures=F("failures") + 1,
        attempt=F("attempt") - (0 if in_doubt else 1),
        renewal_problem=str(error)[:300],
        client_refused=isinstance(error, ClientRefused),
        **series,
    )
    if not again:
        return False
    rows = Credential.objects.filter(pk=credential.pk, refusal=said, refusals__gte=REFUSALS)
    return retry_while_down(rows.filter(refusal_since__lte=Now() - REFUSED_FOR).exists)


def unexplained_refusal(error: ServiceError) -> str:
    """Name a refusal that says neither that the grant has ended nor why else: status and code.

    Return nothing for what passes by itself: no answer, an overload, an outage, and a
    client that is refused, which a super admin fixes.
    """
    status = error.status or 0
    refused = 400 <= status < 500 or (status and isinstance(error, ServiceRefused))
    if not refused or status >= 500 or status in PASSING or isinstance(error, ClientRefused):
        return ""
    return f"{status} {error.code}".strip()


def clear_client_refusal(client: OAuthClient) -> None:
    """Forget that a service refused a client, which was corrected: the next call asks."""
    Credential.objects.filter(client=client, client_refused=True).update(
        client_refused=False, renewal_problem="", retry_at=None, failures=0
    )


def release_until(credential: Credential, lease: Lease, until: datetime) -> None:
    """Give the lease back and ask nothing before ``until``; the attempt stays counted."""
    _give_back(credential, lease, retry_at=until)


def backoff(failures: int, asked: float | None) -> timedelta:
    """Return how long to leave a service alone after so many failures in a row.

    From 1 to 2 s after the first one, doubled with each; never less than the service has
    ``asked`` for, in seconds, and never more than :data:`MAX_WAIT`. Chance keeps callers,
    and the credentials of one service, from coming back all at once.
    """
    doubled = 2.0 ** min(failures, 12) * random.uniform(0.5, 1)  # noqa: S311
    wanted = max(doubled, (asked or 0) * random.uniform(1, 1.1))  # noqa: S311
    return min(timedelta(seconds=wanted), MAX_WAIT)


def _give_back(credential: Credential, lease: Lease, **values: object) -> None:
    held = Credential.objects.filter(pk=credential.pk, lease_owner=lease.owner)
    retry_while_down(lambda: held.update(lease_owner="", lease_until=None, **values))
