"""Relay a request to a service and its answer back, piece by piece, in constant memory.

The way out is that of ``outbound.py``: addresses and headers are judged, no redirect is
followed, no answer is unpacked. Connections are kept and used again, and each new one is
judged where it is made. What holds for time: the request's head and each 64 KiB of its
body are taken within ``seconds``, the head of the answer comes within ``seconds`` of the
last of them, each next piece within ``seconds`` of the one before, and the body as a whole
within ``seconds`` and one more for each ``bytes_a_second`` that have come.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from threading import Lock
from typing import Any
from urllib.parse import SplitResult

from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import HTTPResponse

from connectors import wire
from connectors.addresses import judge_url
from connectors.errors import AnswerTooLarge, ServiceBusy, ServiceUnintelligible
from connectors.explaining import explain

PIECE = 64 * 1024
#: Of an answer that does not say how long it is, so much is read before its head is passed
#: on: what breaks off within it is an error, and not a short answer.
READ_AHEAD = 1024 * 1024
#: As long a connection is kept that nothing goes over. A service may close it just when a
#: request leaves: what must not be sent twice takes only one that was used just before.
IDLE_SECONDS = 30.0
JUST_BEFORE_SECONDS = 2.0
MOST_IDLE = 32
MOST_ORIGINS = 256
BUSY_SECONDS = 1
#: Sending these twice does what sending them once does (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

_FAILURES = (TransportError, HTTPException, OSError)


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


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A body that is sent as it comes; ``length`` is ``None`` where nobody said it."""

    pieces: Iterator[bytes]
    length: int | None = None


class Relayed:
    """An answer whose body has not been read to its end; iterate over it, and close it.

    ``headers`` are as they came, in their order; ``length`` is that of the body where it is
    known. Iterating raises ``ServiceError`` where the service does not go on.
    """

    def __init__(
        self, method: str, call: wire.Call, held: _Held, response: HTTPResponse, limits: Limits
    ) -> None:
        self._method = method
        self.status = response.status
        self.headers: list[tuple[str, str]] = list(response.headers.iteritems())
        self.length = response.length_remaining
        self.received = 0
        self._call, self._held, self._response, self._limits = call, held, response, limits
        self._began = time.monotonic()
        self._ahead: deque[bytes] = deque()
        self._read_ahead()

    @property
    def is_over(self) -> bool:
        """Tell whether the service has sent all of it."""
        return self._held.is_back

    @property
    def announced(self) -> int | None:
        """Return the ``Content-Length`` to tell: to a HEAD it is that of the missing body."""
        if self._response.status in {204, 304}:
            return None
        if self._method == "HEAD":
            said = self._response.headers.get("Content-Length", "")
            return int(said) if said.isascii() and said.isdigit() else None
        return self.length

    @property
    def whole(self) -> bytes | None:
        """Return the body where all of it is here already."""
        return b"".join(self._ahead) if self._held.is_over else None

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._ahead:
                yield self._ahead.popleft()
            while not self._held.is_over:
                if piece := self._piece():
                    yield piece
        finally:
            self.close()

    def close(self) -> None:
        """End it: a connection on which something is left to read is not used again."""
        self._held.drop()

    def _read_ahead(self) -> None:
        if self.length is not None:
            if self.length > self._limits.max_bytes:
                raise self._too_large()
            if self.length <= PIECE:
                self._ahead.append(self._piece(whole=True))
            return
        if self._response.headers.get("Content-Type", "").startswith("text/event-stream"):
            return
        while not self._held.is_over and self.received < READ_AHEAD:
            self._ahead.append(self._piece())
        if self._held.is_over:
            self.length = self.received

    def _piece(self, *, whole: bool = False) -> bytes:
        """Read what there is, as it is on the wire; nothing at the end."""
        limits, response = self._limits, self._response
        self._call.deadline = self._began + limits.seconds + self.received / limits.bytes_a_second
        with wire.going_on(self._call):
            try:
                self._held.wait(limits.seconds)
                if whole:
                    piece = response.read(decode_content=False)
                else:
                    piece = response.read1(PIECE, decode_content=False)
            except _FAILURES as error:
                raise explain(error, self._call, limits.connect, limits.seconds) from None
        self.received += len(piece)
        if self.received > limits.max_bytes:
            raise self._too_large()
        if whole or not piece or self.received == self.length:
            self._held.give_back()
        return piece

    def _too_large(self) -> AnswerTooLarge:
        mebibytes = self._limits.max_bytes / 1024**2
        return AnswerTooLarge(
            f"{self._call.service} sent an answer larger than {mebibytes:g} MiB, which is the "
            "most that this console passes on."
        )


def relay(
    method: str,
    url: str,
    *,
    service: str,
    headers: Mapping[str, str],
    body: bytes | Upload | None = None,
    limits: Limits = Limits(),
) -> Relayed:
    """Send a request and return its answer, whatever its status.

    ``headers`` are sent as they are (``outbound.judge_header``) beside ``Host`` and what
    tells the body's length. Raise ``ServiceError``; an answer that is returned must be
    closed, or read to its end.
    """
    parts = judge_url(url, service=service)
    target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    held = _Held(_origin_of(parts), service, limits)
    try:
        with wire.call(service, total=limits.connect + limits.seconds) as call:
            response = _asked(call, held, method, target, headers, body, limits)
            if response.status < 200:
                raise ServiceUnintelligible(
                    f"{service} wanted to go on in another protocol than HTTP."
                )
            return Relayed(method, call, held, response, limits)
    except BaseException:
        held.drop()
        raise


def _asked(
    call: wire.Call,
    held: _Held,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | Upload | None,
    limits: Limits,
) -> HTTPResponse:
    again = method in IDEMPOTENT and not isinstance(body, Upload)
    while True:
        kept = held.take(IDLE_SECONDS if again else JUST_BEFORE_SECONDS)
        try:
            return _once(call, held, method, target, headers, body, limits)
        except _FAILURES as error:
            slow = isinstance(error, TimeoutError | ReadTimeoutError)
            if not (kept and again) or slow:
                raise explain(error, call, limits.connect, limits.seconds) from None
            # Closed by the service while nothing went over it (RFC 9112 section 9.3.1).
            held.discard()


def _once(
    call: wire.Call,
    held: _Held,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes | Upload | None,
    limits: Limits,
) -> HTTPResponse:
    connection = held.connected(limits)
    sent: bytes | Iterator[bytes] | None
    if isinstance(body, Upload):
        sent = body.pieces
        if body.length is not None:
            headers = {**headers, "Content-Length": str(body.length)}
    else:
        sent = body
    # A service may have answered before it took all of the body.
    with suppress(BrokenPipeError):
        connection.request(
            method,
            target,
            body=sent,
            headers=headers,
            preload_content=False,
            decode_content=False,
        )
    call.deadline = time.monotonic() + limits.seconds
    return connection.getresponse()


class _Origin:
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


class _Held:
    """A place among the calls to an origin, and the connection that a call has."""

    def __init__(self, origin: _Origin, service: str, limits: Limits) -> None:
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


_origins: dict[tuple[str, str, int, int], _Origin] = {}
_adding = Lock()


def _origin_of(parts: SplitResult) -> _Origin:
    port = parts.port or (443 if parts.scheme == "https" else 80)
    # Who trusts other certificates than before makes other connections.
    key = parts.scheme, parts.hostname or "", port, id(wire.tls_context())
    found = _origins.get(key)
    if found is None:
        with _adding:
            if len(_origins) >= MOST_ORIGINS:
                _origins.pop(next(iter(_origins))).close_idle()
            found = _origins.setdefault(key, _Origin(*key[:3]))
    return found


def close_idle() -> None:
    """Close every connection that nothing goes over."""
    with _adding:
        for origin in _origins.values():
            origin.close_idle()
        _origins.clear()
