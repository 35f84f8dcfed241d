"""A misbehaving service; the path of a request selects the misbehavior."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Misdeed = Callable[[socket.socket], None]

MEBIBYTE = 1024 * 1024
PATIENCE_SECONDS = 30
#: A page that decompresses to a thousand times its size.
BOMB = gzip.compress(b"\0" * (64 * MEBIBYTE), 9)


def says(answer: bytes) -> Misdeed:
    return lambda sock: sock.sendall(answer)


def for_ever(head: bytes, again: bytes, pause: float = 0) -> Misdeed:
    """Send the same bytes repeatedly until the client disconnects."""

    def act(sock: socket.socket) -> None:
        sock.sendall(head)
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            sock.sendall(again)
            time.sleep(pause)

    return act


def is_silent(sock: socket.socket) -> None:
    sock.settimeout(PATIENCE_SECONDS)
    sock.recv(1)


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


MISDEEDS: dict[str, Misdeed] = {
    "fine": says(_head(b"Content-Length: 2") + b"ok"),
    "many-headers": says(_head(*[b"X-%d: y" % n for n in range(100_000)], b"Content-Length: 0")),
    "long-header": says(_head(b"X: " + b"y" * (8 * MEBIBYTE), b"Content-Length: 0")),
    "endless-headers": for_ever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
    "endless-header-line": for_ever(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    "endless-status": for_ever(b"HTTP/1.1 200 ", b"K" * 65536),
    "dripping-head": for_ever(b"HTTP/1.1 200 OK\r\nX: ", b"y", 0.1),
    "dripping-body": for_ever(_head(b"Content-Length: 60000"), b"y", 0.1),
    "dripping-chunks": for_ever(_head(b"Transfer-Encoding: chunked"), b"1\r\ny\r\n", 0.1),
    "silence": is_silent,
    "endless-body": for_ever(_head(), b"y" * 65536),
    "endless-chunks": for_ever(
        _head(b"Transfer-Encoding: chunked"), b"10000\r\n" + b"y" * 65536 + b"\r\n"
    ),
    "endless-chunk-size": for_ever(_head(b"Transfer-Encoding: chunked"), b"0" * 65536),
    "endless-trailers": for_ever(_head(b"Transfer-Encoding: chunked") + b"0\r\n", b"X: y\r\n"),
    "gzip-bomb": says(
        _head(b"Content-Encoding: gzip", b"Content-Length: %d" % len(BOMB)) + BOMB,
    ),
    "twice-gzipped": says(
        _head(b"Content-Encoding: gzip, gzip", b"Content-Length: %d" % len(gzip.compress(BOMB)))
        + gzip.compress(BOMB)
    ),
    "too-short": says(_head(b"Content-Length: 100") + b"short"),
    "far-too-short": says(_head(b"Content-Length: 2000000") + b"y" * 1_500_000),
    # The extra bytes look like the response to the next request.
    "too-long": says(_head(b"Content-Length: 2") + b"ok" + _head(b"Content-Length: 6") + b"poison"),
    "endless-length": says(_head(b"Content-Length: 9" + b"9" * 30) + b"y" * 1000),
    "informing-for-ever": for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "informing-at-length": for_ever(b"", b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 90 + b"\r\n"),
    "switching": for_ever(b"", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
}


#: The maximum size of a response. The first one needs many times as much memory when parsed; in the
#: second one, a single letter turns every other letter into four bytes.
LONGEST = {
    "costly-json": b"[" + b"[]," * (MEBIBYTE // 3 - 2) + b"[]]",
    "long-json": '"\U0001f600'.encode() + b"x" * (MEBIBYTE - 6) + b'"',
}
for _name, _body in LONGEST.items():
    MISDEEDS[_name] = says(
        _head(b"Content-Type: application/json", b"Content-Length: %d" % len(_body)) + _body
    )


@contextmanager
def hostile_service(always: str = "") -> Iterator[str]:
    """Serve on a free port and yield the URL; each connection has its own thread.

    The last part of each path selects the misbehavior, unless ``always`` does.
    """
    bound = socket.create_server(("127.0.0.1", 0), backlog=300)

    def speak(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            sock.settimeout(PATIENCE_SECONDS)
            while head := _request(sock):
                name = always or head.split(b" ", 2)[1].rpartition(b"/")[2].decode()
                MISDEEDS[name](sock)
                if name != "fine":
                    return

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock, _ = bound.accept()
                threading.Thread(target=speak, args=(sock,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    bound.shutdown(socket.SHUT_RDWR)
    bound.close()


def _request(sock: socket.socket) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        if not (piece := sock.recv(65536)):
            return b""
        head += piece
    return head
