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

from urllib3.exceptions import HTTPError as TransportError
from urllib3.exceptions import ReadTimeoutError
from urllib3.response import HTTPResponse

from connectors import wire
from connectors.addresses import judge_url
from connectors.errors import AnswerTooLarge, ServiceUnintelligible
from connectors.explaining import explain
from connectors.holding import (
    IDLE_SECONDS,
    JUST_BEFORE_SECONDS,
    Held,
    Limits,
    origin_of,
)

PIECE = 64 * 1024
#: Of an answer that does not say how long it is, so much is read before its head is passed
#: on: what breaks off within it is an error, and not a short answer.
READ_AHEAD = 1024 * 1024
#: Sending these twice does what sending them once does (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

_FAILURES = (TransportError, HTTPException, OSError)


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
        self, method: str, call: wire.Call, held: Held, response: HTTPResponse, limits: Limits
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
    held = Held(origin_of(parts), service, limits)
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
    held: Held,
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
    held: Held,
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
