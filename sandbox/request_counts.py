"""Counts of requests since the last reset, kept in the memory of the one worker."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Literal

#: ``reuse``: refresh tokens that came back after their turn.
#: ``elsewhere``: clients that followed a redirect to the other host.
Counted = Literal["token", "revoke", "api", "authorize", "reuse", "elsewhere"]
NAMES: tuple[Counted, ...] = ("token", "revoke", "api", "authorize", "reuse", "elsewhere")

_lock = Lock()
_counts: Counter[str] = Counter()


def count(name: Counted) -> None:
    with _lock:
        _counts[name] += 1


def counts() -> dict[str, int]:
    with _lock:
        return {name: _counts[name] for name in NAMES}


def reset() -> None:
    with _lock:
        _counts.clear()
