"""What a process has read lately, kept for so short that a change counts everywhere at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice
from threading import Lock
from typing import Generic, TypeVar

from console.database import give_back, in_turn

Value = TypeVar("Value")


class ShortCache(Generic[Value]):
    """Values by key, each for ``seconds`` after its reading began.

    Of the threads that miss the same key one reads, and the others wait for what it finds.
    A reading that fails leaves nothing behind. The connection to the database is given back.
    """

    def __init__(self, seconds: float, *, most: int = 10_000) -> None:
        self._seconds, self._most = seconds, most
        self._values: dict[str, tuple[float, Value]] = {}
        self._writing = Lock()
        self._reading = [Lock() for _ in range(64)]

    def get(self, key: str, read: Callable[[], Value]) -> Value:
        """Return what is known of ``key``, or else what ``read`` returns."""
        known = self._values.get(key)
        if known and time.monotonic() < known[0]:
            return known[1]
        arrived = time.monotonic()
        with self._reading[hash(key) % len(self._reading)]:
            known, now = self._values.get(key), time.monotonic()
            if known and now < known[0]:
                return known[1]
            try:
                with in_turn(arrived):
                    value = read()
            except Exception:
                self._values.pop(key, None)
                raise
            finally:
                give_back()
            self._keep(key, now + self._seconds, value)
        return value

    def has_known(self, key: str) -> bool:
        """Tell whether ``key`` was read with success before, however long ago."""
        return key in self._values

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()

    def _keep(self, key: str, until: float, value: Value) -> None:
        with self._writing:
            if key not in self._values and len(self._values) >= self._most:
                for old in list(islice(self._values.copy(), self._most // 2)):
                    self._values.pop(old, None)
            self._values[key] = until, value
