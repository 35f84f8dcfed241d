"""The connections to services that are kept and used again, and how many calls go where.

Each new one is judged where it is made (``wire.py``).
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import SplitResult

from urllib3.connection import HTTPConnection

from connectors import wire
from connectors.errors import ServiceBusy

#: As long a connection is kept that nothing goes over. A service may close it just when a
#: request leaves: what must not be sent twice takes only one that was used just before.
IDLE_SECONDS = 30.0
JUST_BEFORE_SECONDS = 2.0
MOST_IDLE = 32
MOST_ORIGINS = 256
BUSY_SECONDS = 1


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

    def __init__(self, scheme: str, host: str, port: int) -> None:
        self._where = scheme, host, port
        self._idle: deque[tuple[HTTPConnection, float]] = deque()
        self._under_way = 0
        self._lock = Lock()

    def enter(self, service: str, at_once: int) -> None:
        with self._lock:
            if self._under_way >= at_once:
                raise ServiceBusy(
                    f"{at_once} calls wait for {service} here already, which is slow just now. "
                    "Try again in a moment.",
                    retry_after=BUSY_SECONDS,
                )
            self._under_way += 1

    def leave(self) -> None:
        with self._lock:
            self._under_way -= 1

    def take(self, idle_seconds: float) -> HTTPConnection | None:
        """Return a connection that is still open and has not been idle for too long."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:  # another thread was faster
                return None
            if time.monotonic() - since < idle_seconds and connection.is_connected:
                return connection
            connection.close()
        return None

    def made(self) -> HTTPConnection:
        return wire.connection_to(*self._where)

    def keep(self, connection: HTTPConnection) -> None:
        self._idle.append((connection, time.monotonic()))
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
        # Both are there as soon as something was sent.
        self._connection: Any = None
        self._sock: Any = None
        self.is_over = self.is_back = False

    def take(self, idle_seconds: float) -> bool:
        """Have a connection; tell whether it is one that was used before."""
        kept = self._origin.take(idle_seconds)
        self._connection = kept or self._origin.made()
        return kept is not None

    def connected(self, limits: Limits) -> HTTPConnection:
        connection: HTTPConnection = self._connection
        if connection.sock is None:
            connection.timeout = limits.connect
            connection.connect()
        connection.timeout = limits.seconds
        # An answer that ends with its connection takes the socket over.
        self._sock = connection.sock
        connection.sock.settimeout(limits.seconds)
        return connection

    def wait(self, seconds: float) -> None:
        """Let the next read take so long, however short the last one had to be."""
        self._sock.settimeout(seconds)

    def discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def give_back(self) -> None:
        """Leave; the connection serves the next call if the service keeps it open."""
        if not self.is_over:
            self.is_over = self.is_back = True
            self._origin.leave()
            if self._connection.sock is not None:
                self._origin.keep(self._connection)

    def drop(self) -> None:
        """Leave, and close the connection."""
        if not self.is_over:
            self.is_over = True
            self._origin.leave()
            self.discard()
            if self._sock is not None:
                self._sock.close()


_origins: dict[tuple[str, str, int, int], Origin] = {}
_adding = Lock()


def origin_of(parts: SplitResult) -> Origin:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # Who trusts other certificates than before makes other connections.
    key = parts.scheme, parts.hostname or "", port, id(wire.tls_context())
    found = _origins.get(key)
    if found is None:
        with _adding:
            if len(_origins) >= MOST_ORIGINS:
                _origins.pop(next(iter(_origins))).close_idle()
            found = _origins.setdefault(key, Origin(*key[:3]))
    return found


def close_idle() -> None:
    """Close every connection that nothing goes over."""
    with _adding:
        for origin in _origins.values():
            origin.close_idle()
        _origins.clear()
