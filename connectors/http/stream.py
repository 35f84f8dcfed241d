"""Stream a request to a service and its response back, in constant memory.

The rules of ``http_client.py`` hold: destinations and headers are validated, redirects are not
followed, and responses are not decompressed. Connections are pooled; each new one is validated
when it is made.

Timeouts: the request head and each 64 KiB of its body must be sent within ``seconds``. The
response head must arrive within ``seconds`` after that, and each part of the body within
``seconds`` of the one before. The whole body may take ``seconds``, plus one second for each
``bytes_a_second`` received.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Hashable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from urllib3.exceptions import HTTPError as TransportError

from connectors.errors import ResponseTooLarge
from connectors.http import transport
from connectors.http.connection_pool import (
    IDLE_SECONDS,
    RECENTLY_USED_SECONDS,
    CallLimits,
    PooledConnection,
)
from connectors.http.error_messages import unreachable_error
from connectors.http.http1 import NO_BODY, PIECE, Http1Request, Http1Response
from connectors.http.ssrf import Destination

#: Idempotent methods: sending them again is safe (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

#: urllib3 makes the connections.
_FAILURES = (TransportError, OSError)


@dataclass(frozen=True, kw_only=True)
class StreamedUpload:
    """A request body that is sent while it is received."""

    pieces: Iterator[bytes]
    length: int


class StreamedResponse:
    """A response whose body is still being read. Iterate over it, and close it.

    ``headers`` keep their order. ``length`` is the length of the body, if known. Iterating raises
    ``ServiceError`` if the service stops sending.
    """

    def __init__(
        self,
        request: Http1Request,
        call: transport.OutboundCall,
        connection: PooledConnection,
        response: Http1Response,
        limits: CallLimits,
    ) -> None:
        self._request = request
        self.status, self.headers, self.length = response.status, response.headers, response.length
        self.received = 0
        self._call, self._limits = call, limits
        self._connection, self._response = connection, response
        self._began = time.monotonic()
        self._buffered: deque[bytes] = deque()
        self._read_small_body()

    @property
    def is_over(self) -> bool:
        """Return whether the service has sent the whole response."""
        return self._connection.is_complete

    @property
    def content_length(self) -> int | None:
        """Return the ``Content-Length`` to pass on; for HEAD, that of the body left out."""
        if self.status in NO_BODY:
            return None
        return self._response.content_length if self._request.method == "HEAD" else self.length

    @property
    def whole(self) -> bytes | None:
        """Return the whole body if it has been received already."""
        return b"".join(self._buffered) if self._connection.has_ended else None

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self._buffered:
                yield self._buffered.popleft()
            while not self._connection.has_ended:
                if piece := self._read_piece():
                    yield piece
        finally:
            self.close()

    def close(self) -> None:
        """Close the response. A connection with unread data is not reused."""
        self._connection.drop()

    def _read_small_body(self) -> None:
        """Read the body now if it is small or has arrived already.

        Larger bodies are read while the caller iterates.
        """
        if self.length is not None:
            if self.length > self._limits.max_bytes:
                raise self._too_large()
            while self.length <= PIECE and not self._connection.has_ended:
                self._buffered.append(self._read_piece())
        elif self._response.is_over:
            self._buffered.append(self._read_piece())
        if self._connection.has_ended:
            self.length = self.received

    def _read_piece(self) -> bytes:
        """Read what has arrived; empty at the end of the body."""
        limits, response, call = self._limits, self._response, self._call
        call.total = limits.seconds + self.received / limits.bytes_a_second
        call.deadline = self._began + call.total
        try:
            piece = response.read(call, seconds=limits.seconds)
        except _FAILURES as error:
            raise unreachable_error(error, call, limits.connect, limits.seconds) from None
        self.received += len(piece)
        if self.received > limits.max_bytes:
            raise self._too_large()
        if response.is_over:
            self._connection.release(is_clean=response.is_clean)
        return piece

    def _too_large(self) -> ResponseTooLarge:
        mebibytes = self._limits.max_bytes / 1024**2
        return ResponseTooLarge(
            f"{self._call.service} sent an answer larger than {mebibytes:g} MiB, which is the "
            "limit of this console."
        )


def stream_request(
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
    ``Host`` and the body's length are added. Raise ``ServiceError``. The response must be closed
    or read to its end.
    """
    request = Http1Request(
        method=method,
        target=target,
        headers={"Host": destination.authority, **headers},
        body=body.pieces if isinstance(body, StreamedUpload) else body,
        length=body.length if isinstance(body, StreamedUpload) else 0,
    )
    call = transport.OutboundCall(service=service)
    call.set_deadline(limits.connect + limits.seconds)
    connection = PooledConnection(destination, credential, service, limits)
    try:
        response = _send_and_read_head(request, call, connection, limits)
        return StreamedResponse(request, call, connection, response, limits)
    except BaseException:
        connection.drop()
        raise


def _send_and_read_head(
    request: Http1Request,
    call: transport.OutboundCall,
    connection: PooledConnection,
    limits: CallLimits,
) -> Http1Response:
    can_retry = request.method in IDEMPOTENT and not isinstance(request.body, Iterator)
    while True:
        http1 = connection.take(IDLE_SECONDS if can_retry else RECENTLY_USED_SECONDS)
        is_reused = http1 is not None
        try:
            if http1 is None:
                http1 = connection.connect(call, limits.connect)
            call.set_deadline(limits.seconds)
            # A service may respond before it has read the whole body.
            with suppress(BrokenPipeError):
                http1.send_request(call, request, seconds=limits.seconds)
            call.set_deadline(limits.seconds)
            return http1.read_response_head(call, request, seconds=limits.seconds)
        except _FAILURES as error:
            if not (is_reused and can_retry) or isinstance(error, TimeoutError):
                raise unreachable_error(error, call, limits.connect, limits.seconds) from None
            # The service closed the idle connection (RFC 9112 section 9.3.1).
            connection.discard()
