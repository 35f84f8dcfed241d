"""The connections to services that are kept and used again.

Each credential has connections of its own: what a service sends unasked over one of them
never reaches the calls of another organization or person. Each new one is judged where it is
made (``transport.py``).
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

from connectors.http import transport
from connectors.http.bulkhead import bulkhead, shares_of
from connectors.http.http1 import Http1Connection
from connectors.http.ssrf import Destination

#: As long a connection is kept that nothing goes over. A service may close it just when a
#: request leaves: what must not be sent twice takes only one that was used just before.
IDLE_SECONDS = 30.0
JUST_BEFORE_SECONDS = 2.0
#: For one credential at one origin, and for all of them.
MOST_IDLE = 32
MOST_IDLE_IN_ALL = 256


@dataclass(frozen=True, kw_only=True)
class CallLimits:
    """How long to wait, in seconds, how much to take, in bytes, and how much at once.

    ``at_once`` is how many calls of this process may be under way to one origin.
    """

    connect: float = 5
    seconds: float = 60
    bytes_a_second: int = 10_000
    max_bytes: int = 10 * 1024**3
    at_once: int = 32


class ConnectionPool:
    """Idle connections by place and credential; those that were used last are taken first."""

    def __init__(self) -> None:
        #: Who kept one last stands last, so those that nobody needs any more stand first.
        self._idle: OrderedDict[Hashable, deque[tuple[Http1Connection, float]]] = OrderedDict()
        self._count = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return self._count

    def take(self, key: Hashable, idle_seconds: float) -> Http1Connection | None:
        """Return a connection that is still open and has not been idle for too long."""
        while (found := self._pop(key)) is not None:
            line, since = found
            if time.monotonic() - since < idle_seconds and line.is_quiet:
                return line
            line.close()
        return None

    def keep(self, key: Hashable, line: Http1Connection) -> None:
        """Keep a connection for the next call, and close those that are kept for too long."""
        now = time.monotonic()
        with self._lock:
            lines = self._idle.setdefault(key, deque())
            self._idle.move_to_end(key)
            lines.append((line, now))
            self._count += 1
            closed = [self._drop_oldest(key)] if len(lines) > MOST_IDLE else []
            while self._count > MOST_IDLE_IN_ALL or self._first_since < now - IDLE_SECONDS:
                closed.append(self._drop_oldest(next(iter(self._idle))))
        for old in closed:
            old.close()

    def close_all(self) -> None:
        """Close every connection that nothing goes over."""
        with self._lock:
            lines = [line for kept in self._idle.values() for line, _ in kept]
            self._idle.clear()
            self._count = 0
        for line in lines:
            line.close()

    @property
    def _first_since(self) -> float:
        """Since when the first one's newest connection is idle."""
        return next(iter(self._idle.values()))[-1][1]

    def _pop(self, key: Hashable) -> tuple[Http1Connection, float] | None:
        with self._lock:
            lines = self._idle.get(key)
            if not lines:
                return None
            self._count -= 1
            found = lines.pop()
            if not lines:
                del self._idle[key]
            return found

    def _drop_oldest(self, key: Hashable) -> Http1Connection:
        lines = self._idle[key]
        self._count -= 1
        line, _ = lines.popleft()
        if not lines:
            del self._idle[key]
        return line


pool = ConnectionPool()


class PooledConnection:
    """A share of the calls that may be under way, and the connection that a call has."""

    def __init__(
        self, place: Destination, credential: Hashable, service: str, limits: CallLimits
    ) -> None:
        self._shares = shares_of(place, service, limits.at_once)
        bulkhead.enter(*self._shares)
        self._place = place
        # Who trusts other certificates than before makes other connections.
        self._key = place, credential, id(transport.tls_context())
        self._line: Http1Connection | None = None
        self.is_over = self.is_back = False

    def take(self, idle_seconds: float) -> Http1Connection | None:
        """Have a connection that was used before, if there is one."""
        self._line = pool.take(self._key, idle_seconds)
        return self._line

    def connect(self, call: transport.OutboundCall, seconds: float) -> Http1Connection:
        """Have a new connection, made within ``seconds`` and what is left of the call."""
        self._line = Http1Connection(transport.connected(self._place, call, seconds))
        return self._line

    def discard(self) -> None:
        if self._line is not None:
            self._line.close()
        self._line = None

    def give_back(self, *, is_clean: bool) -> None:
        """Leave; a clean connection serves the next call."""
        if not self.is_over:
            self.is_over = self.is_back = True
            bulkhead.leave(*self._shares)
            if is_clean and self._line is not None:
                pool.keep(self._key, self._line)
            else:
                self.discard()

    def drop(self) -> None:
        """Leave, and close the connection."""
        if not self.is_over:
            self.is_over = True
            bulkhead.leave(*self._shares)
            self.discard()


def close_idle() -> None:
    """Close every connection that nothing goes over."""
    pool.close_all()
