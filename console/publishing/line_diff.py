"""Compute a line diff of two texts in a bounded number of steps.

This is the greedy algorithm of Myers ("An O(ND) Difference Algorithm", 1986). Its running time
grows with the number of lines that differ, so :data:`MAX_STEPS` and :data:`MAX_EDITS` stop it
when nearly all lines do. The diff is then one block: all old lines deleted, all new ones added.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

#: The most comparisons of two lines; about a quarter of a second.
MAX_STEPS = 500_000
#: The most deleted and added lines; beyond that, lines match only by chance.
MAX_EDITS = 500

#: A sign (``-``, ``+`` or a space) and the line.
SignedLine = tuple[str, str]


def line_diff(before: Sequence[str], after: Sequence[str]) -> list[SignedLine]:
    """Return every line of both texts once, in order: deleted, added or unchanged."""
    start = _common_prefix(before, after)
    end = _common_prefix(before[start:][::-1], after[start:][::-1])
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    return [
        *((" ", line) for line in before[:start]),
        *_changed_block(old, new),
        *((" ", line) for line in before[len(before) - end :]),
    ]


def _common_prefix(before: Sequence[str], after: Sequence[str]) -> int:
    """Count the lines that both texts begin with."""
    count = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        count += 1
    return count


def _changed_block(old: Sequence[str], new: Sequence[str]) -> Iterator[SignedLine]:
    trace = _trace(old, new) if old and new else None
    if trace is None:
        yield from (("-", line) for line in old)
        yield from (("+", line) for line in new)
        return
    yield from _backtrack(old, new, trace)[::-1]


def _trace(old: Sequence[str], new: Sequence[str]) -> list[dict[int, int]] | None:
    """Return the furthest points per diagonal for each number of edits; None over the limits."""
    furthest, steps = {1: 0}, 0
    trace: list[dict[int, int]] = []
    for edits in range(min(len(old) + len(new), MAX_EDITS) + 1):
        trace.append({k: furthest[k] for k in range(-edits - 1, edits + 2) if k in furthest})
        for k in range(-edits, edits + 1, 2):
            x = _next_x(furthest, k, edits)
            x_before = x
            while x < len(old) and x - k < len(new) and old[x] == new[x - k]:
                x += 1
            furthest[k] = x
            steps += x - x_before + 1
            if x >= len(old) and x - k >= len(new):
                return trace
        if steps > MAX_STEPS:
            return None
    return None


def _next_x(furthest: dict[int, int], k: int, edits: int) -> int:
    """Choose between a deleted and an added line, whichever leads further."""
    if k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1]):
        return furthest[k + 1]
    return furthest[k - 1] + 1


def _backtrack(
    old: Sequence[str], new: Sequence[str], trace: list[dict[int, int]]
) -> list[SignedLine]:
    """Follow the diagonals back from the end; the lines are in reverse order."""
    found: list[SignedLine] = []
    x, y = len(old), len(new)
    for edits in range(len(trace) - 1, -1, -1):
        furthest, k = trace[edits], x - y
        is_added = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if is_added else k - 1
        start_x, start_y = furthest[before], furthest[before] - before
        while x > start_x and y > start_y:
            x, y = x - 1, y - 1
            found.append((" ", old[x]))
        if edits:
            found.append(("+", new[y - 1]) if is_added else ("-", old[x - 1]))
        x, y = start_x, start_y
    return found
