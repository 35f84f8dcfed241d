"""An in-process cache whose entries live for a second or so, filled by one thread at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

from console.database import fail_fast_if_down_since, release_connection

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ShortCache(Generic[Key, Value]):
    """Values by key, each valid for ``seconds`` after its reading began.

    The time is short so that a change takes effect in every process at once. Of the threads
    that miss the same key one reads, and the others wait for its result. A failed reading
    removes the entry. No thread keeps a database connection after a reading.
    """

    def __init__(self, seconds: float, *, max_size: int = 10_000) -> None:
        self._seconds, self._max_size = seconds, max_size
        self._entries: dict[Key, tuple[float, Value]] = {}
        self._writing = Lock()
        self._reading = [Lock() for _ in range(64)]

    def get(
        self,
        key: Key,
        read: Callable[[], Value],
        *,
        is_current: Callable[[Value], bool] | None = None,
        stale: Value | None = None,
    ) -> Value:
        """Return the cached value of ``key``, or else what ``read`` returns.

        An expired value for which ``is_current`` is true is kept for another period without
        reading it again. ``stale`` is a value that the caller knows to be outdated: it is never
        returned.
        """
        if (value := self._valid(key, stale)) is not None:
            return value
        arrived = time.monotonic()
        with self._reading[hash(key) % len(self._reading)]:
            if (value := self._valid(key, stale)) is not None:
                return value
            now, value = time.monotonic(), self.peek(key)
            try:
                with fail_fast_if_down_since(arrived):
                    if value is None or value is stale or not (is_current and is_current(value)):
                        value = read()
            except BaseException:
                self.remove(key)
                raise
            finally:
                release_connection()
            self._store(key, now + self._seconds, value)
        return value

    def peek(self, key: Key) -> Value | None:
        """Return the last value of ``key``, even if it has expired."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def aged(self, key: Key) -> tuple[Value | None, float]:
        """Return the last value of ``key``, and how many seconds it is still valid.

        The seconds are zero or less if it has expired.
        """
        entry = self._entries.get(key)
        return (entry[1], entry[0] - time.monotonic()) if entry else (None, 0.0)

    def extend(self, key: Key, value: Value, *, since: float) -> None:
        """Let a value that was found current at ``since`` be valid for another period."""
        entry = self._entries.get(key)
        if entry is not None and entry[1] is value:
            self._entries[key] = since + self._seconds, value

    def end(self, key: Key, value: Value) -> None:
        """Let a value that was found outdated expire now."""
        entry = self._entries.get(key)
        if entry is not None and entry[1] is value:
            self._entries[key] = 0.0, value

    def seconds_left(self, key: Key) -> float:
        """Return how long the value of ``key`` is still valid; 0 if there is none."""
        entry = self._entries.get(key)
        return max(0.0, entry[0] - time.monotonic()) if entry else 0.0

    def remove(self, key: Key) -> None:
        """Remove the value of ``key``, so that the next caller reads it."""
        self._entries.pop(key, None)

    def clear(self) -> None:
        """Remove all values."""
        self._entries.clear()

    def expire(self, *, seconds_left: float = 0.0) -> None:
        """Let all values expire as if their time had passed, or nearly so."""
        until = time.monotonic() + seconds_left
        self._entries = {key: (until, value) for key, (_, value) in self._entries.items()}

    def _valid(self, key: Key, stale: Value | None) -> Value | None:
        entry = self._entries.get(key)
        if entry is None or entry[1] is stale or time.monotonic() >= entry[0]:
            return None
        return entry[1]

    def _store(self, key: Key, until: float, value: Value) -> None:
        with self._writing:
            if key not in self._entries and len(self._entries) >= self._max_size:
                for old in list(islice(self._entries.copy(), self._max_size // 2)):
                    self._entries.pop(old, None)
            self._entries[key] = until, value
