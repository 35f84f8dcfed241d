"""Delete what was called so long ago that nobody looks for it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from console.invocations.models import HourlyCount, Invocation

#: In one transaction: as many as are gone in a moment, with nobody waiting meanwhile.
BATCH = 2_000


def prune_invocations(days: int | None = None) -> int:
    """Delete the log of calls older than ``days`` (``INVOCATION_DAYS``); return how many calls.

    It may be stopped and run again; each batch is a transaction of its own.
    """
    days = settings.INVOCATION_DAYS if days is None else days
    before = timezone.now() - timedelta(days=days)
    _prune(HourlyCount, "hour", before)
    return _prune(Invocation, "at", before)


def _prune(model: type[Invocation] | type[HourlyCount], by: str, before: datetime) -> int:
    gone = 0
    while True:
        # The oldest first, as the index has them: each batch begins where the last one ended.
        old = model.objects.filter(**{f"{by}__lt": before}).order_by(by)
        keys = list(old.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return gone
        gone += model.objects.filter(pk__in=keys).delete()[0]
