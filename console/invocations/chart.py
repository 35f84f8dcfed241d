"""Layout of the chart of calls: bars for calls by outcome, and a line for the 95th percentile.

The SVG is stretched to the width of the page, so it contains no text; labels are HTML next to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from console.invocations.call_filters import Counted, Span
from console.invocations.outcomes import CallOutcome

#: In SVG units; both halves of the chart have the same size.
HEIGHT = 100
STEP_WIDTH = 10
BAR_WIDTH = 7
PERCENT = 95
#: As many labels are below the chart.
MARKS = 5


@dataclass(frozen=True, kw_only=True)
class ChartSegment:
    """The part of a bar for one outcome; ``y`` is its upper edge."""

    outcome: str
    x: float
    y: float
    height: float
    width: float = BAR_WIDTH


@dataclass(frozen=True, kw_only=True)
class ChartBar:
    """The calls of one step; ``p95`` is in milliseconds, or None without calls."""

    since: datetime
    worked: int
    refused: int
    failed: int
    p95: int | None
    parts: tuple[ChartSegment, ...]
    x: float

    @property
    def calls(self) -> int:
        return self.worked + self.refused + self.failed


@dataclass(frozen=True, kw_only=True)
class Chart:
    """The whole chart; its axes end at ``most`` calls and ``slowest`` milliseconds."""

    steps: tuple[ChartBar, ...]
    lines: tuple[str, ...]
    most: int
    slowest: int
    p95: int | None
    step: timedelta
    width: int
    height: int = HEIGHT
    step_width: int = STEP_WIDTH

    @property
    def calls(self) -> int:
        return sum(step.calls for step in self.steps)

    @property
    def refused(self) -> int:
        return sum(step.refused for step in self.steps)

    @property
    def failed(self) -> int:
        return sum(step.failed for step in self.steps)

    @property
    def marks(self) -> list[ChartBar]:
        """Return the steps labeled below the chart: from the first to the last, evenly."""
        last, gaps = len(self.steps) - 1, min(MARKS, len(self.steps)) - 1
        return [self.steps[number * last // max(gaps, 1)] for number in range(gaps + 1)]

    @property
    def half(self) -> int:
        """Return the number of calls in the middle of the axis, or 0 if that is not whole."""
        return 0 if self.most % 2 else self.most // 2

    @property
    def step_words(self) -> str:
        """Return the time of one bar, such as "hour" or "6 hours"."""
        minutes = int(self.step.total_seconds()) // 60
        for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
            if minutes % size == 0:
                number = minutes // size
                return name if number == 1 else f"{number} {name}s"
        raise ValueError(f"A bar of {self.step} has no name.")

    @property
    def shows_dates(self) -> bool:
        """Return whether the labels are dates; a chart of one day or less shows times."""
        return self.step * len(self.steps) > timedelta(days=1)

    @property
    def used(self) -> list[ChartBar]:
        """Return the steps that have calls."""
        return [step for step in self.steps if step.calls]


def draw(counted: Iterable[Counted], span: Span) -> Chart:
    """Lay out the counted calls with one bar for each step of the span."""
    by_step: list[list[Counted]] = [[] for _ in range(span.steps)]
    for each in counted:
        number = (each.at - span.since) // span.step
        by_step[min(max(number, 0), span.steps - 1)].append(each)
    most = _round_up(max(sum(each.calls for each in some) for some in by_step))
    times = [percentile(some) for some in by_step]
    slowest = _round_up(max((time for time in times if time), default=0))
    steps = tuple(
        _step(span.since + number * span.step, number, some, time, most)
        for number, (some, time) in enumerate(zip(by_step, times, strict=True))
    )
    return Chart(
        steps=steps,
        lines=tuple(_lines(steps, slowest)),
        most=most,
        slowest=slowest,
        p95=percentile([each for some in by_step for each in some]),
        step=span.step,
        width=span.steps * STEP_WIDTH,
    )


def percentile(counted: Iterable[Counted]) -> int | None:
    """Return the 95th percentile of the durations, rounded up to the slowest call of its band."""
    calls: dict[int, int] = {}
    slowest: dict[int, int] = {}
    for each in counted:
        calls[each.band] = calls.get(each.band, 0) + each.calls
        slowest[each.band] = max(slowest.get(each.band, 0), each.slowest)
    wanted, seen = sum(calls.values()) * PERCENT, 0
    for band in sorted(calls):
        seen += calls[band] * 100
        if seen >= wanted:
            return slowest[band]
    return None


def _step(
    since: datetime, number: int, counted: list[Counted], p95: int | None, most: int
) -> ChartBar:
    calls = dict.fromkeys(CallOutcome.values, 0)
    for each in counted:
        calls[each.outcome] += each.calls
    x, below, parts = number * STEP_WIDTH, float(HEIGHT), []
    # Errors are at the bottom of the bar, where even a few of them are visible.
    for outcome in (CallOutcome.FAILED, CallOutcome.REFUSED, CallOutcome.WORKED):
        if calls[outcome]:
            height = max(calls[outcome] * HEIGHT / most, 2)
            below -= height
            left = x + (STEP_WIDTH - BAR_WIDTH) / 2
            parts.append(ChartSegment(outcome=outcome.value, x=left, y=below, height=height))
    return ChartBar(since=since, **calls, p95=p95, parts=tuple(parts), x=x)


def _lines(steps: Iterable[ChartBar], slowest: int) -> Iterable[str]:
    """Yield SVG paths through consecutive steps; a step without neighbors becomes a dash."""
    line: list[tuple[float, float]] = []
    for step in [*steps, None]:
        if step is not None and step.p95 is not None:
            line.append((step.x + STEP_WIDTH / 2, HEIGHT - step.p95 * HEIGHT / slowest))
        elif line:
            first, last = line[0], line[-1]
            ends = [(first[0] - BAR_WIDTH / 2, first[1]), *line, (last[0] + BAR_WIDTH / 2, last[1])]
            yield "M" + "L".join(f"{x:g} {y:g}" for x, y in ends)
            line = []


def _round_up(number: int) -> int:
    """Return the next round number: 1, 2 or 5, followed by zeros."""
    power = 10 ** (len(str(max(number, 1))) - 1)
    return next(power * first for first in (1, 2, 5, 10) if power * first >= number)
