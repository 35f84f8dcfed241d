"""Run ``ThreadedWSGI`` under granian and check what reaches the application and the client."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import ROOT, free_port, running, wait_for_page

APPLICATION = """
import json, sys, time
import io
from console.runtime.asgi_request import ClientDisconnected, next_piece
from console.server.threaded_wsgi import ThreadedWSGI

def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/read":
        length = str(len(environ["wsgi.input"].read()))
        print("READ", length, flush=True)
        start_response("200 OK", [])
        return [length.encode()]
    if path in {"/ticks", "/breaks", "/fails", "/waits"}:
        start_response("200 OK", [("X-Name", "na\\xefve")])
        return Ticks(path)
    start_response("201 Made", [("X-Name", environ.get("HTTP_X_NAME", ""))])
    seen = {k: v for k, v in environ.items() if isinstance(v, str) and k.isupper()}
    return [json.dumps(seen).encode()]

class Ticks:
    def __init__(self, path):
        self.path = path
    def __iter__(self):
        if self.path == "/fails":
            raise RuntimeError("secret-words")
        if self.path == "/waits":
            time.sleep(2)
        for _ in range(50):
            yield b"tick"
            if self.path == "/breaks":
                raise RuntimeError("secret-words")
            time.sleep(0.1)
    def close(self):
        print("CLOSED", self.path, flush=True)

async def receive_body(environ, receive):
    environ["wsgi.input"], is_over = io.BytesIO(), False
    while not is_over:
        try:
            piece, is_over = await next_piece(receive)
        except ClientDisconnected:
            print("BROKE OFF", flush=True)
            raise
        environ["wsgi.input"].write(piece)
    environ["wsgi.input"].seek(0)
    return True

application = ThreadedWSGI(wsgi, threads=4, receive_body=receive_body)
"""


class Server:
    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def connect(self, request: bytes) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
        sock.sendall(request)
        return sock

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        """Return the head and the body of an answer, as they are on the wire."""
        with self.connect(request) as sock:
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        return head, body

    def get(self, target: bytes, *headers: bytes) -> tuple[bytes, bytes]:
        lines = [b"GET " + target + b" HTTP/1.1", b"Host: h", b"Connection: close", *headers]
        return self.ask(b"\r\n".join([*lines, b"", b""]))

    def wait_for(self, words: str, times: int = 1) -> None:
        deadline = time.monotonic() + 5
        while self.log.read_text().count(words) < times:
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("threaded")
    (folder / "threaded_app.py").write_text(APPLICATION)
    port, log = free_port(), folder / "granian.log"
    options = ["--interface", "asginl", "--no-ws", "--host", "127.0.0.1", "--port", str(port)]
    with running(
        *(sys.executable, "-m", "granian", *options, "threaded_app:application"),
        log=log,
        folder=folder,
        environment={**os.environ, "PYTHONPATH": f"{folder}:{ROOT}"},
    ) as process:
        wait_for_page(f"http://127.0.0.1:{port}/", log, process)
        yield Server(port, log)


def test_the_target_is_told_as_it_was_sent(server):
    head, body = server.get(b"/a%2Fb/%252e/../c%FF;x?q=%2f&&y")
    assert head.startswith(b"HTTP/1.1 201")
    assert b'"RAW_URI": "/a%2Fb/%252e/../c%FF;x?q=%2f&&y"' in body
    assert b'"PATH_INFO": "/a/b/%2e/../c\\u00ff;x"' in body
    assert b'"QUERY_STRING": "q=%2f&&y"' in body


@pytest.mark.parametrize("value", [b"na\xefve", b"na\xc3\xafve \xe2\x82\xac", b"plain", b""])
def test_a_header_keeps_its_bytes_in_both_directions(server, value):
    head, _ = server.get(b"/", b"X-Name: " + value)
    assert b"x-name: " + value + b"\r\n" in head + b"\r\n"


def test_headers_of_one_name_are_joined_and_none_passes_for_another(server):
    _, body = server.get(
        b"/", b"X-A: 1", b"X-A: 2", b"X_A: 3", b"Console_User: x", b"Cookie: a=1", b"Cookie: b=2"
    )
    assert b'"HTTP_X_A": "1,2"' in body
    assert b'"HTTP_COOKIE": "a=1; b=2"' in body
    assert b"HTTP_CONSOLE_USER" not in body


@pytest.mark.parametrize("size", [0, 5, 64 * 1024, 3_000_000])
@pytest.mark.parametrize("is_chunked", [True, False])
def test_a_body_is_read_to_its_end(server, size, is_chunked):
    head = b"POST /read HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    if is_chunked:
        chunk = b"%x\r\n%b\r\n" % (size, b"x" * size) if size else b""
        request = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n"
    else:
        request = head + b"Content-Length: %d\r\n\r\n" % size + b"x" * size
    assert server.ask(request)[1] == str(size).encode()


def test_a_body_that_breaks_off_reaches_no_thread(server):
    head = b"POST /read HTTP/1.1\r\nHost: h\r\n"
    before = server.log.read_text().count("READ")
    for number, rest in enumerate(
        (
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            b"Content-Length: 100\r\n\r\nhello",
            b"Transfer-Encoding: chunked\r\n\r\n30d40\r\n" + b"x" * 200_000 + b"\r\n",
        ),
        start=1,
    ):
        server.connect(head + rest).close()
        server.wait_for("BROKE OFF", times=number)
    assert server.log.read_text().count("READ") == before


def test_pieces_come_as_they_are_made(server):
    began = time.monotonic()
    with server.connect(b"GET /ticks HTTP/1.1\r\nHost: h\r\n\r\n") as sock:
        answer = b""
        while b"tick" not in answer:
            answer += sock.recv(65536)
    assert time.monotonic() - began < 2  # all of them take five seconds
    assert b"x-name: na\xefve\r\n" in answer
    server.wait_for("CLOSED /ticks")  # nothing is sent to a client that has disconnected
    assert "broke off: ResponseAborted" not in server.log.read_text()


def test_an_answer_that_breaks_off_is_not_ended(server):
    _, body = server.get(b"/breaks")
    assert body == b"4\r\ntick\r\n"
    server.wait_for("CLOSED /breaks")
    assert "secret-words" not in server.log.read_text()


def test_an_answer_that_fails_before_its_first_piece_is_not_ended(server):
    head, body = server.get(b"/fails")
    assert head.startswith(b"HTTP/1.1 200") and body == b""
    server.wait_for("CLOSED /fails")


def test_the_head_comes_before_the_first_piece(server):
    began = time.monotonic()
    with server.connect(b"GET /waits HTTP/1.1\r\nHost: h\r\n\r\n") as sock:
        assert sock.recv(65536).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - began < 1.5
        assert b"tick" in sock.recv(65536)
        assert time.monotonic() - began > 1.5


def test_more_callers_than_threads_are_all_answered(server):
    found: list[bytes] = []
    callers = [
        threading.Thread(target=lambda: found.append(server.get(b"/")[1])) for _ in range(20)
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(found) == 20
