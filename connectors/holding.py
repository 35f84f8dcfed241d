"""The connections to services that are kept and used again, and how many calls go where.

Each new one is judged where it is made (``wire.py``).
"""

from __future__ import annotations

import random
import time
from collections import deque
from dataclasses import dataclass
from threading import Lock

from connectors import wire
from connectors.addresses import Place
from connectors.errors import ServiceBusy
from connectors.speaking import Line

#: As long a connection is kept that nothing goes over. A service may close it just when a
#: request leaves: what must not be sent twice takes only one that was used just before.
IDLE_SECONDS = 30.0
JUST_BEFORE_SECONDS = 2.0
MOST_IDLE = 32
MOST_ORIGINS = 256
#: When it may go better, at random: who is refused together is not to come again together.
BUSY_SECONDS = 2, 8


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long to wait, in seconds, how much to take, in bytes, and how much at once.

    ``at_once`` is how many calls of this process may be under way to one origin.
    """

    connect: float = 5
    seconds: float = 60
    bytes_a_second: int = 10_000
    max_bytes: int = 10 * 1024**3
    at_once: int = 32


class Origin:
    """The idle connections to one origin, the newest on top, and how many calls go there."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._idle: deque[tuple[Line, float]] = deque()
        self._under_way = 0
        self._lock = Lock()

    def enter(self, service: str, at_once: int) -> None:
        with self._lock:
            if self._under_way >= at_once:
                raise ServiceBusy(
                    f"{at_once} calls wait for {service} here already, which is slow just now. "
                    "Try again in a moment.",
                    retry_after=random.randint(*BUSY_SECONDS),  # noqa: S311
                )
            self._under_way += 1

    def leave(self) -> None:
        with self._lock:
            self._under_way -= 1

    def take(self, idle_seconds: float) -> Line | None:
        """Return a connection that is still open and has not been idle for too long."""
        while self._idle:
            try:
                line, since = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if time.monotonic() - since < idle_seconds and line.is_quiet:
                return line
            line.close()
        return None

    def connected(self, call: wire.Call, seconds: float) -> Line:
        """Make a connection within ``seconds``, and within what is left of the call."""
        return Line(wire.connected(self._place, call, seconds))

    def keep(self, line: Line) -> None:
        self._idle.append((line, time.monotonic()))
        if len(self._idle) > MOST_IDLE:
            self._idle.popleft()[0].close()

    def close_idle(self) -> None:
        while self._idle:
            self._idle.pop()[0].close()


class Held:
    """A place among the calls to an origin, and the connection that a call has."""

    def __init__(self, origin: Origin, service: str, limits: Limits) -> None:
        origin.enter(service, limits.at_once)
        self._origin = origin
        self._line: Line | None = None
        self.is_over = self.is_back = False

    def take(self, idle_seconds: float) -> Line | None:
        """Have a connection that was used before, if there is one."""
        self._line = self._origin.take(idle_seconds)
        return self._line

    def connect(self, call: wire.Call, seconds: float) -> Line:
        """Have a new connection."""
        self._line = self._origin.connected(call, seconds)
        return self._line

    def discard(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None

    def give_back(self, *, is_clean: bool) -> None:
        """Leave; a clean connection serves the next call."""
        if not self.is_over:
            self.is_over = self.is_back = True
            self._origin.leave()
            if is_clean and self._line is not None:
                self._origin.keep(self._line)
            else:
                self.discard()

    def drop(self) -> None:
        """Leave, and close the connection."""
        if not self.is_over:
            self.is_over = True
            self._origin.leave()
            self.discard()


_origins: dict[tuple[Place, int], Origin] = {}
_adding = Lock()


def origin_of(place: Place) -> Origin:
    # Who trusts other certificates than before makes other connections.
    key = place, id(wire.tls_context())
    found = _origins.get(key)
    if found is None:
        with _adding:
            if len(_origins) >= MOST_ORIGINS:
                _origins.pop(next(iter(_origins))).close_idle()
            found = _origins.setdefault(key, Origin(place))
    return found


def close_idle() -> None:
    """Close every connection that nothing goes over."""
    with _adding:
        for origin in _origins.values():
            origin.close_idle()
        _origins.clear()
