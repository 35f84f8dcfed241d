"""Stream a request to a service and its response back, on an event loop and in constant memory.

The rules of ``http_client.py`` hold: destinations and headers are validated, redirects are not
followed, and responses are not decompressed. Connections are pooled; each new one is validated
when it is made.

Timeouts: the request head and each part of its body must be sent within ``seconds``. The
response head must arrive within ``seconds`` after that, and each part of the body within
``seconds`` of the one before. The whole body may take ``seconds``, plus one second for each
``bytes_a_second`` received. An event stream may be silent for ``seconds`` at a time, and lasts
``stream_seconds`` at most.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Hashable, Mapping
from dataclasses import dataclass

from connectors.errors import ResponseTooLarge
from connectors.http.connection_pool import (
    IDLE_SECONDS,
    RECENTLY_USED_SECONDS,
    CallLimits,
    PooledConnection,
)
from connectors.http.error_messages import unreachable_error
from connectors.http.http1 import NO_BODY, PIECE, Http1Connection, Http1Request, Http1Response
from connectors.http.ssrf import Destination
from connectors.http.transport import OutboundCall

#: Idempotent methods: sending them again is safe (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
#: Media types of responses that go on for as long as somebody listens.
EVENT_STREAM_TYPES = frozenset(
    {"text/event-stream", "application/x-ndjson", "application/stream+json"}
)


@dataclass(frozen=True, kw_only=True)
class StreamedUpload:
    """A request body that is sent while it is received; ``length`` is ``None`` if unknown."""

    pieces: AsyncIterator[bytes]
    length: int | None


class StreamedResponse:
    """A response whose body is still arriving: read it to its end, or close it.

    ``headers`` keep their order. ``length`` is the length of the body, if known.
    """

    def __init__(
        self,
        request: Http1Request,
        call: OutboundCall,
        pooled: PooledConnection,
        connection: Http1Connection,
        response: Http1Response,
        limits: CallLimits,
    ) -> None:
        self._request = request
        self.status, self.headers, self.length = response.status, response.headers, response.length
        self.received = 0
        self._call, self._limits = call, limits
        self._pooled, self._connection, self._response = pooled, connection, response
        self._began = time.monotonic()
        self._buffered: deque[bytes] = deque()
        self._is_event_stream = _media_type(response) in EVENT_STREAM_TYPES

    @property
    def is_over(self) -> bool:
        """Return whether the service has sent the whole response."""
        return self._pooled.is_complete

    @property
    def content_length(self) -> int | None:
        """Return the ``Content-Length`` to pass on; for HEAD, that of the body left out."""
        if self.status in NO_BODY:
            return None
        return self._response.content_length if self._request.method == "HEAD" else self.length

    @property
    def whole(self) -> bytes | None:
        """Return the whole body if it has been received already."""
        return b"".join(self._buffered) if self._pooled.has_ended else None

    async def read(self) -> bytes:
        """Return the next part of the body as soon as it is there; empty at its end.

        Raise ``ServiceError`` if the service stops sending.
        """
        if self._buffered:
            return self._buffered.popleft()
        while not self._pooled.has_ended:
            if piece := await self._receive():
                return piece
        return b""

    def close(self) -> None:
        """Close the response. A connection with unread data is not reused."""
        self._pooled.drop()

    async def read_small_body(self) -> None:
        """Receive the body now if it is small or has arrived already."""
        if self.length is not None:
            if self.length > self._limits.max_bytes:
                raise self._too_large()
            while self.length <= PIECE and not self._pooled.has_ended:
                await self._buffer()
        elif self._response.is_over:
            while not self._pooled.has_ended:
                await self._buffer()
        if self._pooled.has_ended:
            self.length = self.received

    async def _buffer(self) -> None:
        if piece := await self._receive():
            self._buffered.append(piece)

    async def _receive(self) -> bytes:
        """Receive a part of the body; empty at its end."""
        limits, response, call = self._limits, self._response, self._call
        if not response.buffered and not response.is_over:
            self._set_deadline()
        try:
            piece = await self._connection.read(response, call.deadline)
        except OSError as error:
            raise unreachable_error(error, call, limits.connect, limits.seconds) from None
        self.received += len(piece)
        if self.received > limits.max_bytes:
            raise self._too_large()
        if response.is_over and not response.buffered:
            self._pooled.release(is_clean=response.is_clean)
        return piece

    def _set_deadline(self) -> None:
        limits, call, now = self._limits, self._call, time.monotonic()
        call.total = limits.seconds + self.received / limits.bytes_a_second
        if self._is_event_stream:
            call.total = limits.stream_seconds
        # Whichever comes first: the time of the whole body, or the time without any data.
        call.deadline = min(self._began + call.total, now + limits.seconds)

    def _too_large(self) -> ResponseTooLarge:
        mebibytes = self._limits.max_bytes / 1024**2
        return ResponseTooLarge(
            f"{self._call.service} sent an answer larger than {mebibytes:g} MiB, which is the "
            "limit of this console."
        )


async def stream_request(
    method: str,
    destination: Destination,
    target: str,
    *,
    service: str,
    credential: Hashable,
    headers: Mapping[str, str],
    body: bytes | StreamedUpload | None = None,
    limits: CallLimits = CallLimits(),
) -> StreamedResponse:
    """Forward a request and return the response, whatever its status.

    ``target`` is the percent-encoded path and query. Connections are reused only by calls with
    the same ``credential``. ``headers`` must be validated (``http_client.validate_header``);
    ``Host`` and the body's length are added. Raise ``ServiceError``, or what the pieces of the
    body raise. The response must be closed or read to its end.
    """
    request = Http1Request(
        method=method,
        target=target,
        headers={"Host": destination.authority, **headers},
        body=None if isinstance(body, StreamedUpload) else body,
        pieces=body.pieces if isinstance(body, StreamedUpload) else None,
        length=body.length if isinstance(body, StreamedUpload) else None,
    )
    call = OutboundCall(service=service)
    pooled = PooledConnection(destination, credential, service, limits)
    try:
        connection, response = await _send_and_read_head(request, call, pooled, limits)
        streamed = StreamedResponse(request, call, pooled, connection, response, limits)
        await streamed.read_small_body()
        return streamed
    except BaseException:
        pooled.drop()
        raise


async def _send_and_read_head(
    request: Http1Request, call: OutboundCall, pooled: PooledConnection, limits: CallLimits
) -> tuple[Http1Connection, Http1Response]:
    can_retry = request.method in IDEMPOTENT and request.pieces is None
    while True:
        connection = pooled.take(IDLE_SECONDS if can_retry else RECENTLY_USED_SECONDS)
        is_reused = connection is not None
        try:
            if connection is None:
                connection = await pooled.connect(limits.connect)
            response = await connection.send_request(call, request, limits.seconds)
            await connection.read_head(response, call, limits.seconds)
            return connection, response
        except OSError as error:
            if not (is_reused and can_retry) or isinstance(error, TimeoutError):
                raise unreachable_error(error, call, limits.connect, limits.seconds) from None
            # The service closed the idle connection (RFC 9112 section 9.3.1).
            pooled.discard()


def _media_type(response: Http1Response) -> str:
    return response.header("content-type").partition(";")[0].strip().lower()
