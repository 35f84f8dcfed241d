"""Request counts since the last reset, in the memory of the only worker."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import Literal

#: ``reuse``: uses of refresh tokens that were already rotated.
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
