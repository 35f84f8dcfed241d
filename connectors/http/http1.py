"""HTTP/1.1 over an open connection (RFC 9112).

Requests are written here; responses are parsed by llhttp, the parser of Node.js, through
httptools. urllib3 and the standard library's client took most of the time of a call
(``docs/performance.md``); urllib3 still opens the connections (``transport.py``).
"""

from __future__ import annotations

import re
import select
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from httptools import HttpParserError, HttpResponseParser

from connectors.errors import ServiceUnintelligible
from connectors.http.transport import OutboundCall

PIECE = 64 * 1024
#: Statuses without a body, whatever the headers say (RFC 9110 section 6.4.1).
NO_BODY = frozenset({204, 304})
#: The most bytes for the response head, including informational (1xx) responses before it.
MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEAD_END = re.compile(rb"(?:^|\n)\r?\n")
#: Whitespace between a header's name and its colon.
_BEFORE_COLON = re.compile(rb"(?m)^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+(?=:)")


@dataclass(frozen=True, kw_only=True)
class Http1Request:
    """An HTTP/1.1 request.

    ``headers`` include ``Host``, but nothing about the length of the body; ``length`` is the
    length of a streamed body. Header names and values must be validated before.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | Iterator[bytes] | None = field(default=None, repr=False)
    length: int = 0

    @property
    def head(self) -> bytes:
        """Return the request line and headers; raise ``ValueError`` for a line break in them."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *map(": ".join, self.headers.items())]
        if isinstance(self.body, bytes):
            lines.append(f"Content-Length: {len(self.body)}")
        elif self.body is not None:
            lines.append(f"Content-Length: {self.length}")
        elif self.method in _METHODS_WITH_BODY:
            lines.append("Content-Length: 0")
        head = "\r\n".join([*lines, "", ""])
        if not head.count("\r") == head.count("\n") == len(lines) + 1:
            raise ValueError("a header contains a line break")
        return head.encode("latin-1")


class Http1Connection:
    """A connection to a service for one request after another.

    The socket is non-blocking, and ``poll`` waits: a socket timeout would cost two more system
    calls for each request, each with a switch of threads.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._to_read, self._to_write = select.poll(), select.poll()
        self._to_read.register(sock, select.POLLIN)
        self._to_write.register(sock, select.POLLOUT)

    def close(self) -> None:
        self._sock.close()

    @property
    def is_idle(self) -> bool:
        """Return whether the connection is open and has no unread data."""
        if self._has_decrypted_data():
            return False
        if not self._to_read.poll(0):
            return True
        if not isinstance(self._sock, ssl.SSLSocket):
            return False
        try:
            self._sock.recv(1)
        except ssl.SSLWantReadError:
            return True  # a TLS session ticket is no data
        except OSError:
            pass
        return False

    def send_request(self, call: OutboundCall, request: Http1Request, *, seconds: float) -> None:
        """Send a request; the head and each part of the body must be sent within ``seconds``."""
        head, body = request.head, request.body
        call.sent = True
        if isinstance(body, bytes) and len(body) <= PIECE:
            self._send(head + body, seconds)
            return
        self._send(head, seconds)
        if isinstance(body, bytes):
            whole = memoryview(body)
            body = (bytes(whole[at : at + PIECE]) for at in range(0, len(whole), PIECE))
        for piece in body or ():
            self._send(piece, seconds)

    def read_response_head(
        self, call: OutboundCall, request: Http1Request, *, seconds: float
    ) -> Http1Response:
        """Read the response head within the call's deadline."""
        response = Http1Response(self, call.service, is_head=request.method == "HEAD")
        while not response.has_head:
            response.feed(self.receive(call, seconds))
        return response

    def receive(self, call: OutboundCall, seconds: float) -> bytes:
        """Receive at most ``PIECE`` bytes; empty if the service closed the connection."""
        deadline = min(time.monotonic() + seconds, call.deadline)
        while True:
            if not self._has_decrypted_data():
                _wait(self._to_read, deadline)
            try:
                return self._sock.recv(PIECE)
            except ssl.SSLWantWriteError:
                _wait(self._to_write, deadline)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass  # an incomplete TLS record, or no data yet

    def _send(self, data: bytes, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        remaining = memoryview(data)
        while remaining:
            try:
                remaining = remaining[self._sock.send(remaining) :]
            except ssl.SSLWantReadError:
                _wait(self._to_read, deadline)
            except (BlockingIOError, ssl.SSLWantWriteError):
                _wait(self._to_write, deadline)

    def _has_decrypted_data(self) -> bool:
        """Return whether TLS has decrypted data that was not received yet."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0


def _wait(poll: select.poll, deadline: float) -> None:
    remaining = deadline - time.monotonic()
    if remaining <= 0 or not poll.poll(remaining * 1000):
        raise TimeoutError("the service took too long")


class Http1Response:
    """A response that is being read; ``headers`` keep their order.

    ``length`` is the length of the body, if the head says it. For HEAD it is 0, and
    ``content_length`` is what a GET would have.
    """

    def __init__(self, connection: Http1Connection, service: str, *, is_head: bool) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None
        self.content_length: int | None = None
        self.has_head = self.is_over = False
        #: Whether the connection can be reused once the response is complete.
        self.is_clean = False
        self._connection, self._service, self._is_head = connection, service, is_head
        self._ends_with_connection = self._is_ambiguous = False
        self._received = 0
        self._has_status_line, self._incomplete_line = False, b""
        self._body: list[bytes] = []
        self._parser = parser = HttpResponseParser(self)
        # As RFC 9112 says in sections 2.2 and 6.3: a single LF ends a line, and chunked
        # coding overrides Content-Length.
        parser.set_dangerous_leniencies(
            lenient_chunked_length=True, lenient_optional_cr_before_lf=True
        )

    def read(self, call: OutboundCall, *, seconds: float) -> bytes:
        """Return a part of the body; empty at its end."""
        while not self._body and not self.is_over:
            self.feed(self._connection.receive(call, seconds))
        piece = b"".join(self._body)
        self._body.clear()
        return piece

    def header(self, name: str) -> str:
        """Return the value of the first header with this lower-case name, or an empty string."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def feed(self, data: bytes) -> None:
        """Parse received data.

        Raise ``ConnectionResetError`` if the service closed the connection before the end, and
        ``ServiceUnintelligible`` if the data is not HTTP.
        """
        if not data:
            if not self._ends_with_connection:
                raise ConnectionResetError("the service closed the connection")
            self.is_over = True
            return
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
            ):  # the console never asks to switch protocols
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
