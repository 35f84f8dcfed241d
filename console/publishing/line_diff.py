"""The difference of two texts, line by line, in a bounded number of steps.

The greedy algorithm of Myers ("An O(ND) Difference Algorithm", 1986) takes time by the number
of lines that differ; :data:`MAX_STEPS` ends it where nearly all of them do. What differs is
then one block: all that was, and all that is. That is right, too, and no less readable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

#: Comparisons of two lines; about a quarter of a second.
MAX_STEPS = 500_000
#: Lines that went or came; beyond so many, matching the others by chance helps nobody.
MAX_EDITS = 500

#: ``-``, ``+`` or a space, and the line.
SignedLine = tuple[str, str]


def line_diff(before: Sequence[str], after: Sequence[str]) -> list[SignedLine]:
    """Return every line of both texts once, in order, with the sign of what happened to it."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    return [
        *((" ", line) for line in before[:start]),
        *_middle(old, new),
        *((" ", line) for line in before[len(before) - end :]),
    ]


def _common(before: Sequence[str], after: Sequence[str]) -> int:
    """Count the lines with which both begin."""
    count = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        count += 1
    return count


def _middle(old: Sequence[str], new: Sequence[str]) -> Iterator[SignedLine]:
    trace = _trace(old, new) if old and new else None
    if trace is None:
        yield from (("-", line) for line in old)
        yield from (("+", line) for line in new)
        return
    yield from _walk_back(old, new, trace)[::-1]


def _trace(old: Sequence[str], new: Sequence[str]) -> list[dict[int, int]] | None:
    """Return for each number of edits how far each diagonal leads, or nothing: it is too much."""
    furthest, steps = {1: 0}, 0
    trace: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MAX_EDITS) + 1):
        trace.append({k: furthest[k] for k in range(-edits - 1, edits + 2) if k in furthest})
        for k in range(-edits, edits + 1, 2):
            x = _next_x(furthest, k, edits)
            began = x
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            furthest[k] = x
            steps += x - began + 1
            if x >= len(old) and x - k >= len(new):
                return trace
        if steps > MAX_STEPS:
            return None
    return None


def _next_x(furthest: dict[int, int], k: int, edits: int) -> int:
    """Choose between a line that went and one that came, whichever has led further."""
    if k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1]):
        return furthest[k + 1]
    return furthest[k - 1] + 1


def _walk_back(
    old: Sequence[str], new: Sequence[str], trace: list[dict[int, int]]
) -> list[SignedLine]:
    """Follow the diagonals back from the end, and give the lines in that order."""
    found: list[SignedLine] = []
    x, y = len(old), len(new)
    for edits in range(len(trace) - 1, -1, -1):
        furthest, k = trace[edits], x - y
        came = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if came else k - 1
        start_x, start_y = furthest[before], furthest[before] - before
        while x > start_x and y > start_y:
            x, y = x - 1, y - 1
            found.append((" ", old[x]))
        if edits:
            found.append(("+", new[y - 1]) if came else ("-", old[x - 1]))
        x, y = start_x, start_y
    return found
