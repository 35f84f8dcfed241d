"""Parse ``Retry-After`` (RFC 9110 section 10.2.3)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: Longer values are cut to this.
ONE_DAY = 24 * 3600.0
_SECONDS = re.compile(r"\d{1,10}", re.ASCII)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds to wait before the next request, or ``None`` if not given.

    ``headers`` have lower-case names. Both forms are supported, seconds and a date. A date is
    compared with the response's own ``Date``, since the service's clock may differ.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), ONE_DAY)
    if (date := _date(value)) is None:
        return None
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return min(max(0.0, (date - now).total_seconds()), ONE_DAY)


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value[:60])
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
