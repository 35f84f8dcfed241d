"""Count calls that are alike, before anything else is computed of them.

Most calls of a batch are alike, and computing once what many have in common is much faster.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from console.invocations.call_line import CallContext, CallLine


class EqualCalls(NamedTuple):
    """What calls of the log can have in common. ``hours`` is the time since year 1, in UTC."""

    context: CallContext
    hours: int
    method: str
    status: int
    problem: str
    milliseconds: int

    @property
    def hour(self) -> datetime:
        """Return when the hour began."""
        days, hour = divmod(self.hours, 24)
        return datetime.fromordinal(days).replace(hour=hour, tzinfo=UTC)


def count_equal(lines: Iterable[CallLine]) -> Counter[EqualCalls]:
    """Return how many calls of each kind there are."""
    counts = Counter(
        (
            line.context,
            line.at.toordinal() * 24 + line.at.hour,
            line.method,
            line.status,
            line.problem,
            line.milliseconds,
        )
        for line in lines
    )
    return Counter({EqualCalls(*facts): number for facts, number in counts.items()})
