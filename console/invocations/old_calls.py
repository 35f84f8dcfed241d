"""Delete old rows of the call log and of the hourly counts."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from console.invocations.models import HourlyCount, Invocation

#: Rows deleted in one transaction; few enough that other writers do not wait noticeably.
BATCH = 2_000


def prune_invocations(days: int | None = None) -> int:
    """Delete calls older than ``days`` (``INVOCATION_DAYS``) and return how many were deleted.

    Each batch is its own transaction, so this can be stopped and run again.
    """
    days = settings.INVOCATION_DAYS if days is None else days
    before = timezone.now() - timedelta(days=days)
    _prune(HourlyCount, "hour", before)
    return _prune(Invocation, "at", before)


def _prune(model: type[Invocation] | type[HourlyCount], by: str, before: datetime) -> int:
    deleted = 0
    while True:
        # Oldest first, in the order of the index: each batch starts where the last one ended.
        old = model.objects.filter(**{f"{by}__lt": before}).order_by(by)
        keys = list(old.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return deleted
        deleted += model.objects.filter(pk__in=keys).delete()[0]
