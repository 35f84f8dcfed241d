"""Speak HTTP/1.1 over a connection that is made already (RFC 9112).

Requests are written here; answers are read by llhttp, the parser of Node.js, through
httptools. urllib3 and the standard library's client took most of the time of a call
(``docs/performance.md``); they still make the connections (``transport.py``).
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
#: To these there is none, whatever their heads say (RFC 9110 section 6.4.1).
NO_BODY = frozenset({204, 304})
#: What the heads of an answer may take altogether, those before the last one included.
HEAD_BYTES = 64 * 1024
MOST_HEADERS = 100
_WANT_BODY = frozenset({"POST", "PUT", "PATCH"})
_HEAD_END = re.compile(rb"(?:^|\n)\r?\n")
#: Whitespace between a header's name and its colon.
_BEFORE_COLON = re.compile(rb"(?m)^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]+(?=:)")


@dataclass(frozen=True, kw_only=True)
class Http1Request:
    """A request as it goes over a line.

    ``headers`` hold ``Host`` and nothing that says how long the body is; ``length`` is that
    of a body in pieces. Names and values are judged before.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | Iterator[bytes] | None = field(default=None, repr=False)
    length: int = 0

    @property
    def head(self) -> bytes:
        """Write the lines before the body; a value with a line break is a ``ValueError``."""
        lines = [f"{self.method} {self.target} HTTP/1.1", *map(": ".join, self.headers.items())]
        if isinstance(self.body, bytes):
            lines.append(f"Content-Length: {len(self.body)}")
        elif self.body is not None:
            lines.append(f"Content-Length: {self.length}")
        elif self.method in _WANT_BODY:
            lines.append("Content-Length: 0")
        head = "\r\n".join([*lines, "", ""])
        if not head.count("\r") == head.count("\n") == len(lines) + 1:
            raise ValueError("a line of the request would become two")
        return head.encode("latin-1")


class Http1Connection:
    """A connection to a service, which carries one request after the other.

    The socket never blocks, and what waits is ``poll``: a time-out of the socket's own would
    cost two system calls more for each request, and a change of threads with each of them.
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
    def is_quiet(self) -> bool:
        """Tell whether nothing has come since the last answer, not even its end."""
        if self._holds_some():
            return False
        if not self._to_read.poll(0):
            return True
        if not isinstance(self._sock, ssl.SSLSocket):
            return False
        try:
            self._sock.recv(1)
        except ssl.SSLWantReadError:
            return True  # a ticket for the next session is no data
        except OSError:
            pass
        return False

    def ask(self, call: OutboundCall, request: Http1Request, *, seconds: float) -> None:
        """Send a request; its head and each piece of its body are taken within ``seconds``."""
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

    def answer(self, call: OutboundCall, request: Http1Request, *, seconds: float) -> Http1Response:
        """Read the head of the answer, which comes within the call's deadline."""
        answer = Http1Response(self, call.service, is_head=request.method == "HEAD")
        while not answer.has_head:
            answer.feed(self.receive(call, seconds))
        return answer

    def receive(self, call: OutboundCall, seconds: float) -> bytes:
        """Return what has come, at most ``PIECE`` bytes; nothing where the service hung up."""
        until = min(time.monotonic() + seconds, call.deadline)
        while True:
            if not self._holds_some():
                _wait(self._to_read, until)
            try:
                return self._sock.recv(PIECE)
            except ssl.SSLWantWriteError:
                _wait(self._to_write, until)
            except (BlockingIOError, ssl.SSLWantReadError):
                pass  # a part of a record, or nothing after all

    def _send(self, data: bytes, seconds: float) -> None:
        until = time.monotonic() + seconds
        left = memoryview(data)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except ssl.SSLWantReadError:
                _wait(self._to_read, until)
            except (BlockingIOError, ssl.SSLWantWriteError):
                _wait(self._to_write, until)

    def _holds_some(self) -> bool:
        """Tell whether TLS holds something that was read and not taken yet."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0


def _wait(poll: select.poll, until: float) -> None:
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError("the service took longer than it may")


class Http1Response:
    """An answer that is being read; ``headers`` are as they came, in their order.

    ``length`` is that of the body, where the head says it; to a HEAD that is nothing, and
    ``announced`` what there would be.
    """

    def __init__(self, line: Http1Connection, service: str, *, is_head: bool) -> None:
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.length: int | None = None
        self.announced: int | None = None
        self.has_head = self.is_over = False
        #: Whether the line may carry another request, once this is over.
        self.is_clean = False
        self._line, self._service, self._is_head = line, service, is_head
        self._until_end = self._is_ambiguous = False
        self._fed = 0
        self._has_line, self._partial = False, b""
        self._body: list[bytes] = []
        self._parser = parser = HttpResponseParser(self)
        # As RFC 9112 says in sections 2.2 and 6.3: LF alone ends a line, and chunks count
        # where a length is announced as well.
        parser.set_dangerous_leniencies(
            lenient_chunked_length=True, lenient_optional_cr_before_lf=True
        )

    def read(self, call: OutboundCall, *, seconds: float) -> bytes:
        """Return a piece of the body, as it is on the wire; nothing at its end."""
        while not self._body and not self.is_over:
            self.feed(self._line.receive(call, seconds))
        piece = b"".join(self._body)
        self._body.clear()
        return piece

    def header(self, name: str) -> str:
        """Return the value of the first header of that (lower-case) name, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def feed(self, data: bytes) -> None:
        """Take what has come.

        Raise ``ConnectionResetError`` where the service hung up before the end, and
        ``ServiceUnintelligible`` for what is not HTTP.
        """
        if not data:
            if not self._until_end:
                raise ConnectionResetError("the service hung up")
            self.is_over = True
            return
        self._fed += len(data)
        while data and not self.has_head:
            lines, data = self._lines_of_head(data)
            self._parse(lines)
        if data:
            self._parse(data)
        if not self.has_head and self._fed > HEAD_BYTES:
            raise self._unintelligible()

    def _lines_of_head(self, data: bytes) -> tuple[bytes, bytes]:
        """Split off the lines of a head that are whole, without whitespace before a colon.

        RFC 9112 section 5.1 has a proxy remove it; llhttp does not. A line that is not whole
        waits for the rest of it, but for the first one: what is not HTTP is known by that.
        """
        data, self._partial = self._partial + data, b""
        if end := _HEAD_END.search(data):
            lines, rest = data[: end.end()], data[end.end() :]
        else:
            cut = data.rfind(b"\n") + 1
            if not cut and not self._has_line:
                return data, b""
            lines, self._partial, rest = data[:cut], data[cut:], b""
        self._has_line = True
        if b" :" in lines or b"\t:" in lines:
            lines, spaces = _BEFORE_COLON.subn(rb"\1", lines)
            self._is_ambiguous = self._is_ambiguous or spaces > 0
        return lines, rest

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            self.is_clean = False
            if not self.is_over:  # what follows the end is of no interest
                raise self._unintelligible() from None

    def on_message_begin(self) -> None:
        if self.is_over:
            self.is_clean = False

    def on_header(self, name: bytes, value: bytes | None) -> None:
        if self.has_head:  # a trailer, or what follows the end
            return
        self.headers.append((name.decode("latin-1"), (value or b"").decode("latin-1").strip()))

    def on_headers_complete(self) -> None:
        if self.has_head:
            return
        self.status = self._parser.get_status_code()
        if self.status < 200:
            if self.status < 100 or self.status == 101:  # nobody asked for another protocol
                raise ValueError("no status that can be")
            self.headers.clear()  # something in between; the answer is still to come
            return
        if len(self.headers) > MOST_HEADERS or self._is_long:
            raise ValueError("a head that is too long")
        self.has_head = True
        coding = ",".join(v for key, v in self.headers if key.lower() == "transfer-encoding")
        if said := self.header("content-length"):
            self.announced = int(said)
        if self._is_head or self.status in NO_BODY:
            self.length, self.is_over = 0, True
            # Some services send a body all the same, and it may come late.
            promises_none = not (self._is_head or coding or self.announced or self._is_ambiguous)
            self.is_clean = promises_none and self._parser.should_keep_alive()
        elif coding:
            self._until_end = not coding.lower().endswith("chunked")
            # where another would see its end
            self._is_ambiguous = self._is_ambiguous or self.announced is not None
        else:
            self.length = self.announced
            self._until_end = self.length is None

    def on_body(self, piece: bytes) -> None:
        if self.is_over:  # of an answer that has none
            self.is_clean = False
        else:
            self._body.append(piece)

    def on_message_complete(self) -> None:
        if not self.has_head or self.is_over:
            return
        self.is_over = True
        self.is_clean = not self._is_ambiguous and self._parser.should_keep_alive()

    @property
    def _is_long(self) -> bool:
        """Tell whether the head alone is too long, of all that has come."""
        return (
            self._fed > HEAD_BYTES
            and sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES
        )

    def _unintelligible(self) -> ServiceUnintelligible:
        return ServiceUnintelligible(f"{self._service} sent an answer that is not HTTP.")
