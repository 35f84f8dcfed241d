"""Relay a request to a service and its answer back, piece by piece, in constant memory.

The way out is that of ``http_client.py``: addresses and headers are judged, no redirect is
followed, no answer is unpacked. Connections are kept and used again, and each new one is
judged where it is made. What holds for time: the request's head and each 64 KiB of its
body are taken within ``seconds``, the head of the answer comes within ``seconds`` of the
last of them, each next piece within ``seconds`` of the one before, and the body as a whole
within ``seconds`` and one more for each ``bytes_a_second`` that have come.
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

#: Sending these twice does what sending them once does (RFC 9110 section 9.2.2).
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})

#: urllib3 makes the connections.
_FAILURES = (TransportError, OSError)


@dataclass(frozen=True, kw_only=True)
class StreamedUpload:
    """A body that is sent as it comes."""

    pieces: Iterator[bytes]
    length: int


class StreamedResponse:
    """An answer whose body has not been read to its end; iterate over it, and close it.

    ``headers`` are as they came, in their order; ``length`` is that of the body where it is
    known. Iterating raises ``ServiceError`` where the service does not go on.
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
        """Tell whether the service has sent all of it."""
        return self._held.is_back

    @property
    def announced(self) -> int | None:
        """Return the ``Content-Length`` to tell: to a HEAD it is that of the missing body."""
        if self.status in NO_BODY:
            return None
        return self._answer.announced if self._request.method == "HEAD" else self.length

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

    def _gather(self) -> None:
        """Read the body where it is known to be small, or take it where it is here already.

        Of any other the caller gets each piece as it comes.
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
        """Read what there is, as it is on the wire; nothing at the end."""
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
            self._held.give_back(is_clean=answer.is_clean)
        return piece

    def _too_large(self) -> AnswerTooLarge:
        mebibytes = self._limits.max_bytes / 1024**2
        return AnswerTooLarge(
            f"{self._call.service} sent an answer larger than {mebibytes:g} MiB, which is the "
            "most that this console passes on."
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
    """Send a request and return its answer, whatever its status.

    ``target`` is a path and its query, percent-encoded. Connections are shared by the calls
    of one ``credential`` alone. ``headers`` are sent as they are
    (``outbound.validate_header``) beside ``Host`` and what tells the body's length. Raise
    ``ServiceError``; an answer that is returned must be closed, or read to its end.
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
            # A service may have answered before it took all of the body.
            with suppress(BrokenPipeError):
                line.ask(call, request, seconds=limits.seconds)
            call.allow(limits.seconds)
            return line.answer(call, request, seconds=limits.seconds)
        except _FAILURES as error:
            if not (is_kept and again) or isinstance(error, TimeoutError):
                raise explain(error, call, limits.connect, limits.seconds) from None
            # Closed by the service while nothing went over it (RFC 9112 section 9.3.1).
            held.discard()
