"""Read for how long a service wants to be left alone (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: More than this is nonsense, and whoever waits has a limit of his own.
ONE_DAY = 24 * 3600.0
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds to come again, or nothing where that is not said.

    ``headers`` have lower-case names. Both forms are read, seconds and a date; a date counts
    from the service's own ``Date``, because its clock may differ from this one.
    """
    said = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(said):
        return min(float(said), ONE_DAY)
    if (until := _date(said)) is None:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return min(max(0.0, (until - now).total_seconds()), ONE_DAY)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value[:60])
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
