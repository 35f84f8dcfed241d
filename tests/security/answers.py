"""Generated responses of a service, as bytes (security.md 0.9, F6 and F7)."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

#: JSON values that break parsers.
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["3600.0", "", "never", "\x00", "\ud800", "‮evil", "<script>", 10**400, -1]),
    st.sampled_from(["a-token", "invalid_grant", "invalid_client", "a b,c", "x" * 5_000]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("access_token", "refresh_token", "expires_in", "refresh_token_expires_in", "scope"),
        *("scopes", "token_type", "error", "error_description", "ok", "email", "id"),
    ]
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=8)
TOKENS = DOCUMENTS.map(lambda more: {"access_token": "new", "refresh_token": "next", **more})
SHAPES = [
    b"",
    b"null",
    b"{}",
    b"[]",
    b'"x"',
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"[" * 900 + b"]" * 900,
    b'{"access_token": "a", "expires_in": ' + b"9" * 5_000 + b"}",
    b'{"access_token": "a", "expires_in": 1e999}',
    b'{"access_token": NaN, "expires_in": -Infinity}',
    b'{"access_token": "\\ud800", "scope": "\\ud800"}',
    b'{"access_token": "\\u0000", "id": "\\u0000", "email": "\\u0000"}',
    b'{"access_token": "a", "access_token": ["b"]}',
    b'{"email": "\\ud800\\u0000", "id": {"id": 1}}',
    b"access_token=a&expires_in=x&scope=%00%ff",
    b"error=invalid_grant&error_description=%3Cscript%3E",
    b"&" * 100_000,
    b"<!doctype html><h1>Down</h1>",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"\x00" * 1_000,
    gzip.compress(b'{"access_token": "a"}'),
    b"data: 1\n\n",
]
BODIES = st.one_of(
    TOKENS.map(lambda document: json.dumps(document).encode()),
    DOCUMENTS.map(lambda document: json.dumps(document).encode()),
    VALUES.map(lambda value: json.dumps(value).encode()),
    st.sampled_from(SHAPES),
    st.binary(max_size=100),
)
STATUSES = st.one_of(
    st.sampled_from([b"200"] * 3 + [b"201", b"204", b"205", b"206", b"301", b"302", b"304"]),
    st.sampled_from([b"400", b"401", b"403", b"404", b"409", b"418", b"429", b"500", b"502"]),
    st.sampled_from([b"503", b"504", b"102", b"103", b"0", b"99", b"600", b"999", b"-1", b"ok"]),
)
HEADERS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"Content-Type: application/json",
                b"Content-Type: text/html; charset=x-nothing",
                b"Content-Type: text/event-stream",
                b"Content-Type: \xff\xfe",
                b"Content-Encoding: gzip",
                b"Content-Encoding: br, gzip",
                b"Content-Length: 0",
                b"Content-Length: 99999",
                b"Content-Length: -5",
                b"Content-Length: many",
                b"Transfer-Encoding: chunked",
                b"Transfer-Encoding: identity",
                b"Connection: close, X-Api-Key, Content-Length",
                b"Retry-After: 1",
                b"Retry-After: -1",
                b"Retry-After: 1e999",
                b"Retry-After: " + b"9" * 400,
                b"Retry-After: Fri, 31 Dec 99999 23:59:59 GMT",
                b"Retry-After: soon",
                b"Location: http://169.254.169.254/",
                b"Location: //\x00",
                b"Location: http://[::1",
                b"Link: <http://[::1>; rel=next",
                b"Set-Cookie: console=evil; Path=/",
                b"WWW-Authenticate: Bearer error=" + b'"' * 50,
                b"X: a\r\n b",
                b": nothing",
                b"no colon",
                b"X\x00Y: z",
                b"X: \x00\x01",
                b"Date: never",
            ]
        ),
        st.tuples(st.binary(max_size=8), st.binary(max_size=12)).map(b": ".join),
    ),
    max_size=4,
)


@st.composite
def answers(draw: Any) -> bytes:
    """Generate a response: mostly HTTP, with any length, sometimes cut off.

    Some are valid except for their fields, so that the code after the parser is tested too.
    """
    if not draw(st.integers(0, 3)):
        body = json.dumps(draw(TOKENS)).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    body, headers = draw(BODIES), draw(HEADERS)
    if draw(st.integers(0, 3)):
        headers = [*headers, b"Content-Length: %d" % len(body)]
    version = draw(st.sampled_from([b"HTTP/1.1"] * 8 + [b"HTTP/1.0", b"HTTP/9", b"ICY", b""]))
    head = b"\r\n".join([version + b" " + draw(STATUSES) + b" So", *headers, b"", b""])
    whole = head + body
    return whole[: draw(st.integers(0, len(whole)))] if not draw(st.integers(0, 9)) else whole


@dataclass(kw_only=True)
class Answering:
    """A service that sends the same bytes for every request, with exceptions for some paths."""

    url: str
    answer: bytes = b""
    token: bytes | None = None
    asked: int = 0


@contextmanager
def answering_service() -> Iterator[Answering]:
    """Serve on a free port; close each connection after its response."""
    bound = socket.create_server(("127.0.0.1", 0), backlog=100)
    handle = Answering(url=f"http://127.0.0.1:{bound.getsockname()[1]}")

    def speak(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            sock.settimeout(5)
            request = b""
            while b"\r\n\r\n" not in request:
                if not (piece := sock.recv(65536)):
                    return
                request += piece
            handle.asked += 1
            is_token = handle.token is not None and b"/oauth/token/" in request.split(b"\r")[0]
            sock.sendall(handle.token if is_token else handle.answer)  # type: ignore[arg-type]
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):  # otherwise the last bytes could be lost
                pass

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock, _ = bound.accept()
                threading.Thread(target=speak, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=serve)
    thread.start()
    yield handle
    bound.shutdown(socket.SHUT_RDWR)
    bound.close()
    thread.join()
