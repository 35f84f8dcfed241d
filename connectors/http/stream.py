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

from connectors.errors import AnswerTooLarge
from connectors.http import transport
from connectors.http.connection_pool import (
    IDLE_SECONDS,
    JUST_BEFORE_SECONDS,
    CallLimits,
    PooledConnection,
)
from connectors.http.error_messages import explain
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
        held: PooledConnection,
        answer: Http1Response,
        limits: CallLimits,
    ) -> None:
        self._request = request
        self.status, self.headers, self.length = answer.status, answer.headers, answer.length
        self.received = 0
        self._call, self._held, self._answer, self._limits = call, held, answer, limits
        self._began = time.monotonic()
        self._ahead: deque[bytes] = deque()
        self._gather()

    @property
    def is_over(self) -> bool:
        """Return whether the service has sent the whole response."""
        return self._held.is_back

    @property
    def announced(self) -> int | None:
        """Return the ``Content-Length`` to pass on; for HEAD, that of the body left out."""
        if self.status in NO_BODY:
            return None
        return self._answer.announced if self._request.method == "HEAD" else self.length

    @property
    def whole(self) -> bytes | None:
        """Return the whole body if it has been received already."""
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
        """Close the response. A connection with unread data is not reused."""
        self._held.drop()

    def _gather(self) -> None:
        """Read the body now if it is small or has arrived already.

        Larger bodies are read while the caller iterates.
        """
        if self.length is not None:
            if self.length > self._limits.max_bytes:
                raise self._too_large()
            while self.length <= PIECE and not self._held.is_over:
                self._ahead.append(self._piece())
        elif self._answer.is_over:
            self._ahead.append(self._piece())
        if self._held.is_over:
            self.length = self.received

    def _piece(self) -> bytes:
        """Read what has arrived; empty at the end of the body."""
        limits, answer, call = self._limits, self._answer, self._call
        call.total = limits.seconds + self.received / limits.bytes_a_second
        call.deadline = self._began + call.total
        try:
            piece = answer.read(call, seconds=limits.seconds)
        except _FAILURES as error:
            raise explain(error, call, limits.connect, limits.seconds) from None
        self.received += len(piece)
        if self.received > limits.max_bytes:
            raise self._too_large()
        if answer.is_over:
            self._held.release(is_clean=answer.is_clean)
        return piece

    def _too_large(self) -> AnswerTooLarge:
        mebibytes = self._limits.max_bytes / 1024**2
        return AnswerTooLarge(
            f"{self._call.service} sent an answer larger than {mebibytes:g} MiB, which is the "
            "limit of this console."
        )


def relay(
    method: str,
    place: Destination,
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
        headers={"Host": place.authority, **headers},
        body=body.pieces if isinstance(body, StreamedUpload) else body,
        length=body.length if isinstance(body, StreamedUpload) else 0,
    )
    call = transport.OutboundCall(service=service)
    call.allow(limits.connect + limits.seconds)
    held = PooledConnection(place, credential, service, limits)
    try:
        return StreamedResponse(
            request, call, held, _answer_to(request, call, held, limits), limits
        )
    except BaseException:
        held.drop()
        raise


def _answer_to(
    request: Http1Request, call: transport.OutboundCall, held: PooledConnection, limits: CallLimits
) -> Http1Response:
    again = request.method in IDEMPOTENT and not isinstance(request.body, Iterator)
    while True:
        line = held.take(IDLE_SECONDS if again else JUST_BEFORE_SECONDS)
        is_kept = line is not None
        try:
            if line is None:
                line = held.connect(call, limits.connect)
            call.allow(limits.seconds)
            # A service may respond before it has read the whole body.
            with suppress(BrokenPipeError):
                line.ask(call, request, seconds=limits.seconds)
            call.allow(limits.seconds)
            return line.answer(call, request, seconds=limits.seconds)
        except _FAILURES as error:
            if not (is_kept and again) or isinstance(error, TimeoutError):
                raise explain(error, call, limits.connect, limits.seconds) from None
            # The service closed the idle connection (RFC 9112 section 9.3.1).
            held.discard()
