"""Connection pool: idle connections to services, by destination and credential.

Connections are never shared between credentials, so unexpected data from a service cannot reach
the calls of another organization or person. ``transport.py`` validates each new connection. The
pool belongs to the event loop of the process.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass

from connectors.http import transport
from connectors.http.bulkhead import bulkhead, proxied_call_limit
from connectors.http.http1 import Http1Connection
from connectors.http.ssrf import Destination

#: How long an idle connection is kept. A service may close it just when a request is sent, so
#: requests that must not be sent twice use only a connection that was used moments before.
IDLE_SECONDS = 30.0
RECENTLY_USED_SECONDS = 2.0
#: The most idle connections for one credential at one origin, and in total.
MAX_IDLE_PER_KEY = 32
MAX_IDLE = 256


@dataclass(frozen=True, kw_only=True)
class CallLimits:
    """Limits of a proxied call: timeouts in seconds, sizes in bytes, and concurrency.

    ``at_once`` is the most concurrent calls of this process to one origin.
    """

    connect: float = 5
    seconds: float = 60
    stream_seconds: float = 3600
    bytes_a_second: int = 10_000
    max_bytes: int = 10 * 1024**3
    at_once: int = 1000


class ConnectionPool:
    """Idle connections by destination and credential; the most recently used is taken first."""

    def __init__(self) -> None:
        #: In order of last use, so that the keys that are no longer used come first.
        self._idle: OrderedDict[Hashable, deque[tuple[Http1Connection, float]]] = OrderedDict()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def take(self, key: Hashable, idle_seconds: float) -> Http1Connection | None:
        """Return an open connection that was idle for less than ``idle_seconds``."""
        while (found := self._pop(key)) is not None:
            connection, since = found
            if time.monotonic() - since < idle_seconds and connection.is_idle:
                return connection
            connection.close()
        return None

    def keep(self, key: Hashable, connection: Http1Connection) -> None:
        """Put a connection into the pool, and close those that were idle for too long."""
        now = time.monotonic()
        connections = self._idle.setdefault(key, deque())
        self._idle.move_to_end(key)
        connections.append((connection, now))
        self._count += 1
        if len(connections) > MAX_IDLE_PER_KEY:
            self._close_oldest(key)
        while self._count > MAX_IDLE or self._oldest_use < now - IDLE_SECONDS:
            self._close_oldest(next(iter(self._idle)))

    def close_all(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._close_oldest(next(iter(self._idle)))

    @property
    def _oldest_use(self) -> float:
        """Return when the newest connection of the first key became idle."""
        return next(iter(self._idle.values()))[-1][1]

    def _pop(self, key: Hashable) -> tuple[Http1Connection, float] | None:
        connections = self._idle.get(key)
        if not connections:
            return None
        self._count -= 1
        found = connections.pop()
        if not connections:
            del self._idle[key]
        return found

    def _close_oldest(self, key: Hashable) -> None:
        connections = self._idle[key]
        self._count -= 1
        connection, _ = connections.popleft()
        if not connections:
            del self._idle[key]
        connection.close()


pool = ConnectionPool()


class PooledConnection:
    """The connection of one call, and its place in the bulkhead."""

    def __init__(
        self, destination: Destination, credential: Hashable, service: str, limits: CallLimits
    ) -> None:
        self._concurrency_limits = (proxied_call_limit(destination, service, limits.at_once),)
        bulkhead.enter(*self._concurrency_limits)
        self._destination, self._service = destination, service
        # With other trusted certificates, connections are not reused.
        self._key = destination, credential, id(transport.tls_context())
        self._connection: Http1Connection | None = None
        self.has_ended = self.is_complete = False

    def take(self, idle_seconds: float) -> Http1Connection | None:
        """Take a pooled connection, if there is one."""
        self._connection = pool.take(self._key, idle_seconds)
        return self._connection

    async def connect(self, seconds: float) -> Http1Connection:
        """Open a new connection within ``seconds``."""
        self._connection = await transport.connect(
            self._destination, Http1Connection, service=self._service, seconds=seconds
        )
        return self._connection

    def discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def release(self, *, is_clean: bool) -> None:
        """End the call, and return a clean connection to the pool."""
        if not self.has_ended:
            self.has_ended = self.is_complete = True
            bulkhead.leave(*self._concurrency_limits)
            if self._connection is not None:
                self._connection.finish()
            if is_clean and self._connection is not None and self._connection.is_open:
                pool.keep(self._key, self._connection)
            else:
                self.discard()

    def drop(self) -> None:
        """End the call, and close the connection."""
        if not self.has_ended:
            self.has_ended = True
            bulkhead.leave(*self._concurrency_limits)
            self.discard()


def close_idle() -> None:
    """Close all idle connections."""
    pool.close_all()
