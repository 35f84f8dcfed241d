"""Rows that are due: claim one for this process, try, and schedule the next attempt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

#: How long a claim lasts. If its process dies, another one may claim the row after that.
CLAIM = timedelta(minutes=5)


def claim(rows: QuerySet[Any], column: str, *, until: datetime | None = None, **also: Any) -> bool:
    """Claim a row by moving the time in ``column`` into the future; return whether it was free.

    ``rows`` selects one row by its primary key and by being due, without a join: PostgreSQL
    evaluates such a condition again after it has waited for a row lock. With a joined subquery it
    does not, and two processes could claim the same row. ``also`` is written with the claim.
    """
    return bool(rows.update(**{column: until or timezone.now() + CLAIM}, **also))


def next_attempt(attempts: int, delays: Sequence[timedelta]) -> datetime | None:
    """Return when to try again after so many attempts; ``None`` after the last one."""
    return timezone.now() + delays[attempts - 1] if attempts <= len(delays) else None
