"""HTTP/1.1 over an open connection (RFC 9112), on an event loop.

Requests are written here; responses are parsed by llhttp, the parser of Node.js, through
httptools. ``transport.py`` opens the connections.
"""

from __future__ import annotations

import asyncio
import math
import re
import select
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from httptools import HttpParserError, HttpResponseParser

from connectors.errors import ServiceUnintelligible
from connectors.http.transport import OutboundCall

PIECE = 64 * 1024
#: Statuses without a body, whatever the headers say (RFC 9110 section 6.4.1).
NO_BODY = frozenset({204, 304})
#: The most bytes for the response head, including informational (1xx) responses before it.
MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
#: A service that sends faster than the program reads has to wait once this much is buffered.
MAX_BUFFERED_BYTES = 2 * PIECE
_TOO_SLOW = "the service took too long"
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEAD_END = re.compile(rb"(?:^|\n)\r?\n")
#: Whitespace between a header's name and its colon.
_BEFORE_COLON = re.compile(rb"(?m)^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+(?=:)")


@dataclass(frozen=True, kw_only=True)
class Http1Request:
    """An HTTP/1.1 request.

    ``headers`` include ``Host``, but nothing about the length of the body. The body is either
    ``body``, or ``pieces`` that are sent while they are received; ``length`` is their length,
    ``None`` if it is not known. Header names and values must be validated before.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    pieces: AsyncIterator[bytes] | None = field(default=None, repr=False)
    length: int | None = None

    @property
    def head(self) -> bytes:
        """Return the request line and headers; raise ``ValueError`` for a line break in them."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *map(": ".join, self.headers.items())]
        if self.body is not None:
            lines.append(f"Content-Length: {len(self.body)}")
        elif self.is_chunked:
            lines.append("Transfer-Encoding: chunked")
        elif self.pieces is not None:
            lines.append(f"Content-Length: {self.length}")
        elif self.method in _METHODS_WITH_BODY:
            lines.append("Content-Length: 0")
        head = "\r\n".join([*lines, "", ""])
        if not head.count("\r") == head.count("\n") == len(lines) + 1:
            raise ValueError("a header contains a line break")
        return head.encode("latin-1")

    @property
    def is_chunked(self) -> bool:
        """Return whether the body is sent in chunks, since its length is not known."""
        return self.pieces is not None and self.length is None


class Http1Connection(asyncio.Protocol):
    """A connection to a service for one request after another."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._poll = select.poll()
        self._response: Http1Response | None = None
        self._upload: asyncio.Task[None] | None = None
        #: Awaited by the reader of the response, and by the sender.
        self._to_read: asyncio.Future[None] | None = None
        self._to_write: asyncio.Future[None] | None = None
        self._is_reading, self._is_writable, self._is_lost = True, True, False

    # What the event loop calls

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.set_write_buffer_limits(high=PIECE)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:  # data that nobody asked for
            self.close()
            return
        response.feed(data)
        if response.buffered > MAX_BUFFERED_BYTES and self._is_reading:
            self._is_reading = False
            self._transport.pause_reading()
        _wake(self._to_read)

    def eof_received(self) -> None:
        self._lose(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(exc)

    def pause_writing(self) -> None:
        self._is_writable = False

    def resume_writing(self) -> None:
        self._is_writable = True
        _wake(self._to_write)

    def _lose(self, error: Exception | None) -> None:
        self._is_lost = True
        if self._response is not None:
            self._response.end(error)
        _wake(self._to_read)
        _wake(self._to_write)

    # What a call does

    def close(self) -> None:
        """Close the connection at once; what was not sent is discarded."""
        self._is_lost = True
        self._stop_upload()
        self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Return whether the connection was neither closed nor lost, as far as is known."""
        return not self._is_lost and not self._transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Return whether the connection is open and has received nothing since the last response.

        Asks the operating system: the event loop may not have read yet what has arrived.
        """
        return self.is_open and not self._poll.poll(0)

    async def send_request(
        self, call: OutboundCall, request: Http1Request, seconds: float
    ) -> Http1Response:
        """Send a request and return the response that will be received.

        The head and each part of the body must be sent within ``seconds``. A streamed body is
        sent while the response is awaited.
        """
        head = request.head
        self._response = response = Http1Response(call.service, is_head=request.method == "HEAD")
        call.sent = True
        self._transport.write(head + request.body if request.body else head)
        if request.pieces is not None:
            self._upload = self._loop.create_task(
                self._send_pieces(request.pieces, seconds, is_chunked=request.is_chunked)
            )
        elif not self._is_writable:
            await self._wait_to_write(seconds)
        return response

    async def read_head(self, response: Http1Response, call: OutboundCall, seconds: float) -> None:
        """Read the response head, within ``seconds`` after the request was sent.

        A service may respond before it has received the whole body. Raises what the sender of
        the body has raised.
        """
        call.set_deadline(seconds)
        while not response.has_head:
            if self._upload is not None and self._upload_has_ended():
                call.set_deadline(seconds)
            response.raise_failure()
            await self._wait_to_read(call.deadline if self._upload is None else math.inf)
        if not response.buffered:
            response.raise_failure()

    async def read(self, response: Http1Response, deadline: float) -> bytes:
        """Return a part of the body, at most :data:`PIECE` bytes; empty at its end."""
        while not (piece := response.take()) and not response.is_over:
            if self._upload is not None:
                self._upload_has_ended()
            response.raise_failure()
            self._go_on_reading()
            await self._wait_to_read(deadline)
        return piece

    def finish(self) -> None:
        """Leave the response; whatever arrives from now on closes the connection."""
        self._response = None
        if self._upload is not None and not self._upload.done():
            self.close()
        self._stop_upload()
        if self.is_open:
            self._go_on_reading()  # reading stopped if the end of the response was long

    def _go_on_reading(self) -> None:
        if not self._is_reading:
            self._is_reading = True
            self._transport.resume_reading()

    async def _send_pieces(
        self, pieces: AsyncIterator[bytes], seconds: float, *, is_chunked: bool
    ) -> None:
        try:
            async for piece in pieces:
                if self._is_lost:
                    return  # the response says why, if there is one
                if piece:
                    self._transport.write(
                        b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece
                    )
                if not self._is_writable:
                    await self._wait_to_write(seconds)
            if is_chunked and not self._is_lost:
                self._transport.write(b"0\r\n\r\n")
        finally:
            # The reader of the response learns of the end of this task after it has ended.
            self._loop.call_soon(lambda: _wake(self._to_read))

    async def _wait_to_read(self, deadline: float) -> None:
        self._to_read = self._loop.create_future()
        await self._wait(self._to_read, deadline)

    async def _wait_to_write(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._is_writable and not self._is_lost:
            self._to_write = self._loop.create_future()
            await self._wait(self._to_write, deadline)

    async def _wait(self, waiter: asyncio.Future[None], deadline: float) -> None:
        if deadline == math.inf:
            await waiter
            return
        seconds = deadline - time.monotonic()
        if seconds <= 0:  # something always arrives, but never what is waited for
            raise TimeoutError(_TOO_SLOW)
        timer = self._loop.call_later(seconds, _expire, waiter)
        try:
            await waiter
        finally:
            timer.cancel()

    def _upload_has_ended(self) -> bool:
        """Return whether the body was sent; raise what its sender has raised."""
        upload = self._upload
        if upload is None or not upload.done():
            return False
        self._upload = None
        if failure := upload.exception():
            raise failure
        return True

    def _stop_upload(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None and not upload.cancel():
            upload.exception()  # read by nobody, and else reported


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _expire(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_exception(TimeoutError(_TOO_SLOW))


class Http1Response:
    """A response that is being received; ``headers`` keep their order.

    ``length`` is the length of the body, if the head says it. For HEAD it is 0, and
    ``content_length`` is what a GET would have. ``buffered`` counts the bytes of the body that
    were received and not taken yet.
    """

    def __init__(self, service: str, *, is_head: bool) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None
        self.content_length: int | None = None
        self.has_head = self.is_over = False
        #: Whether the connection can be reused once the response is complete.
        self.is_clean = False
        self.buffered = 0
        self._service, self._is_head = service, is_head
        self._failure: Exception | None = None
        self._ends_with_connection = self._is_ambiguous = False
        self._received = 0
        self._has_status_line, self._incomplete_line = False, b""
        self._body: deque[bytes] = deque()
        self._parser = parser = HttpResponseParser(self)
        # As RFC 9112 says in sections 2.2 and 6.3: a single LF ends a line, and chunked
        # coding overrides Content-Length.
        parser.set_dangerous_leniencies(
            lenient_chunked_length=True, lenient_optional_cr_before_lf=True
        )

    def take(self) -> bytes:
        """Return what has been received of the body, at most :data:`PIECE` bytes."""
        body = self._body
        if not body:
            return b""
        piece = body.popleft()
        if body and len(piece) + len(body[0]) <= PIECE:
            pieces, size = [piece], len(piece)
            while body and size + len(body[0]) <= PIECE:
                pieces.append(body.popleft())
                size += len(pieces[-1])
            piece = b"".join(pieces)
        self.buffered -= len(piece)
        return piece

    def raise_failure(self) -> None:
        """Raise what is wrong with the response, once all that came before it was taken."""
        if self._failure is not None and not self.is_over:
            raise self._failure

    def header(self, name: str) -> str:
        """Return the value of the first header with this lower-case name, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def end(self, error: Exception | None) -> None:
        """Note that the service has closed the connection, or that it was lost by an error."""
        if self.is_over or self._failure is not None:
            return
        if self._ends_with_connection and error is None:
            self.is_over = True
        else:
            self._failure = error or ConnectionResetError("the service closed the connection")

    def feed(self, data: bytes) -> None:
        """Parse received data; what is not HTTP becomes the failure of the response."""
        if self._failure is not None:
            return
        try:
            if len(data) <= PIECE:
                self._feed(data)
            else:
                for at in range(0, len(data), PIECE):
                    self._feed(data[at : at + PIECE])
        except ServiceUnintelligible as error:
            self._failure = error

    def _feed(self, data: bytes) -> None:
        self._received += len(data)
        while data and not self.has_head:
            lines, data = self._split_head(data)
            self._parse(lines)
        if data:
            self._parse(data)
        if not self.has_head and self._received > MAX_HEAD_BYTES:
            raise self._unintelligible()

    def _split_head(self, data: bytes) -> tuple[bytes, bytes]:
        """Split off the complete header lines, without whitespace before the colon.

        RFC 9112 section 5.1 asks proxies to remove it; llhttp does not. An incomplete line waits
        for its rest, except the first one, which shows early whether the data is HTTP.
        """
        data, self._incomplete_line = self._incomplete_line + data, b""
        if end := _HEAD_END.search(data):
            lines, rest = data[: end.end()], data[end.end() :]
        else:
            cut = data.rfind(b"\n") + 1
            if not cut and not self._has_status_line:
                return data, b""
            lines, self._incomplete_line, rest = data[:cut], data[cut:], b""
        self._has_status_line = True
        if b" :" in lines or b"\t:" in lines:
            lines, spaces = _BEFORE_COLON.subn(rb"\1", lines)
            self._is_ambiguous = self._is_ambiguous or spaces > 0
        return lines, rest

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.is_clean = False
            if not self.is_over:  # data after the end is ignored
                raise self._unintelligible() from None

    # What llhttp calls

    def on_message_begin(self) -> None:
        if self.is_over:
            self.is_clean = False

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if self.has_head:  # a trailer, or data after the end
            return
        self.headers.append((name.decode("latin-1"), (value or b"").decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        if self.has_head:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            if (
                self.status < 100 or self.status == 101
            ):  # the console asks to switch protocols only in websocket.py
                raise ValueError("invalid status")
            self.headers.clear()  # an informational response; the final one follows
            return
        if len(self.headers) > MAX_HEADERS or self._is_head_too_long:
            raise ValueError("response head too long")
        self.has_head = True
        coding = ",".join(v for key, v in self.headers if key.lower() == "transfer-encoding")
        if value := self.header("content-length"):
            self.content_length = int(value)
        if self._is_head or self.status in NO_BODY:
            self.length, self.is_over = 0, True
            # Some services send a body anyway, and it may arrive late.
            may_send_body = self._is_head or coding or self.content_length or self._is_ambiguous
            self.is_clean = not may_send_body and self._parser.should_keep_alive()
        elif coding:
            self._ends_with_connection = not coding.lower().endswith("chunked")
            # another parser could see another end of the body
            self._is_ambiguous = self._is_ambiguous or self.content_length is not None
        else:
            self.length = self.content_length
            self._ends_with_connection = self.length is None

    def on_body(self, piece: bytes) -> None:
        if self.is_over:  # a body where none is allowed
            self.is_clean = False
        else:
            self._body.append(piece)
            self.buffered += len(piece)

    def on_message_complete(self) -> None:
        if not self.has_head or self.is_over:
            return
        self.is_over = True
        self.is_clean = not self._is_ambiguous and self._parser.should_keep_alive()

    @property
    def _is_head_too_long(self) -> bool:
        """Return whether the head without the body is too long."""
        return (
            self._received > MAX_HEAD_BYTES
            and sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD_BYTES
        )

    def _unintelligible(self) -> ServiceUnintelligible:
        return ServiceUnintelligible(f"{self._service} sent an answer that is not HTTP.")
