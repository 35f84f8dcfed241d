"""What breaks off on one side breaks off on the other, wherever it is cut: never a wrong whole.

The console runs as it is deployed: behind granian, and with nginx in front of it.
"""

from __future__ import annotations

import http.client
import os
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.gateway.nginx_server import SECRET, nginx
from tests.security.served_console import Served, filled, served
from tests.servers import unavailable
from tests.setup import nginx_with_lua_is_there

#: With ``CUT_TIMES=10``, 1,000 responses are cut on each path.
POINTS, TIMES = 50, int(os.environ.get("CUT_TIMES", "1"))
BODY = bytes(random.Random(1).randbytes(300_000))
#: A request that was uploaded whole is answered with this.
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def written(coding: str) -> bytes:
    """Return the response, with its body in one of the two framings."""
    if coding == "length":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY
    pieces = [BODY[at : at + 10_000] for at in range(0, len(BODY), 10_000)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


class CuttingService:
    """Cuts its response where the path says, and counts the uploads that came whole."""

    def __init__(self) -> None:
        self.whole_uploads = self.uploads = 0
        self._server = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            sock, _ = self._server.accept()
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            sock.settimeout(20)
            received = b""
            while b"\r\n\r\n" not in received:
                if not (piece := sock.recv(65_536)):
                    return
                received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            line = head.split(b"\r\n")[0].decode()
            if line.startswith("PUT"):
                self._receive(sock, head.lower(), body)
            else:
                _, _, coding, at = line.split()[1].rsplit("/", 3)
                sock.sendall(written(coding)[: int(at)])

    def _receive(self, sock: socket.socket, head: bytes, body: bytes) -> None:
        self.uploads += 1
        is_chunked = b"transfer-encoding: chunked" in head
        while not (body.endswith(b"\r\n0\r\n\r\n") if is_chunked else len(body) == UPLOAD):
            if not (piece := sock.recv(65_536)):
                return
            body += piece
        self.whole_uploads += 1
        sock.sendall(WHOLE)


#: Longer than what is received before it is sent, so that it is streamed.
UPLOAD = 1_500_000


@pytest.fixture(scope="module")
def service() -> CuttingService:
    return CuttingService()


@pytest.fixture(scope="module")
def behind_granian(
    tmp_path_factory: pytest.TempPathFactory, service: CuttingService
) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("cut")
    environment, key = filled(folder, {"cutting": service.url}, GATEWAY_SECRET=SECRET)
    with served(environment, key, folder) as console:
        yield console


@pytest.fixture(scope="module")
def behind_nginx(
    tmp_path_factory: pytest.TempPathFactory, behind_granian: Served
) -> Iterator[Served]:
    if not nginx_with_lua_is_there():
        unavailable("nginx with Lua is not installed (make test-setup)")
    with nginx(tmp_path_factory.mktemp("cut") / "nginx", behind_granian.url) as proxy:
        yield replace(behind_granian, url=proxy.url)


@pytest.fixture(params=["behind_granian", "behind_nginx"])
def console(request: pytest.FixtureRequest) -> Served:
    """The console on each path."""
    return request.getfixturevalue(request.param)


def received(console: Served, path: str) -> tuple[int, bytes, bool]:
    """Return the status (0 if there is none), the body, and whether the response was whole."""
    url = urlsplit(console.address("cutting", path))
    connection = http.client.HTTPConnection("127.0.0.1", url.port, timeout=20)
    try:
        connection.request("GET", url.path, headers=console.headers)
        try:
            response = connection.getresponse()
        except ConnectionError:
            return 0, b"", False
        try:
            return response.status, response.read(), True
        except (http.client.IncompleteRead, ConnectionError) as error:
            return response.status, getattr(error, "partial", b""), False
    finally:
        connection.close()


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_response_that_the_service_cuts_is_never_whole(console: Served, coding: str) -> None:
    whole = written(coding)
    status, body, is_whole = received(console, f"{coding}/{len(whole)}")
    assert (status, body, is_whole) == (200, BODY, True)
    for at in random.Random(coding).sample(range(len(whole)), POINTS):
        for _ in range(TIMES):
            status, body, is_whole = received(console, f"{coding}/{at}")
            assert not is_whole or status == 502, at
            # nginx breaks off what it takes for HTTP/0.9.
            assert status in {200, 502} or (status == 0 and at < len("HTTP/1.1 "))
            if status == 200:
                assert BODY.startswith(body), at


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_request_that_the_program_cuts_is_never_whole(
    console: Served, service: CuttingService, coding: str
) -> None:
    url = urlsplit(console.address("cutting", "upload"))
    framing = f"Content-Length: {UPLOAD}" if coding == "length" else "Transfer-Encoding: chunked"
    head = (
        f"PUT {url.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {console.key}\r\n"
        f"Connection: close\r\n{framing}\r\n\r\n"
    ).encode()
    body = bytes(UPLOAD)
    if coding == "chunked":
        body = b"%x\r\n%b\r\n0\r\n\r\n" % (UPLOAD, body)
    whole = head + body

    def send(at: int) -> bytes:
        address = "127.0.0.1", url.port or 80
        with socket.create_connection(address, timeout=20) as sock, suppress(ConnectionError):
            sock.sendall(whole[:at])
            return sock.recv(65_536) if at == len(whole) else b""
        return b""

    before = service.whole_uploads
    assert send(len(whole)).startswith(b"HTTP/1.1 200 ")
    assert service.whole_uploads == before + 1
    points = random.Random(coding).sample(range(len(head) + 1, len(whole)), POINTS)
    for at in points:
        send(at)
    assert send(len(whole)).startswith(b"HTTP/1.1 200 ")
    assert service.whole_uploads == before + 2
    assert service.uploads > before + 2  # some were cut in the middle of the body


def test_ten_thousand_idle_connections_stop_nobody(console: Served) -> None:
    url = urlsplit(console.url)
    idle: list[socket.socket] = []
    try:
        for _ in range(10_000):
            idle.append(socket.create_connection(("127.0.0.1", url.port or 80), timeout=20))
        assert console.sends(
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert received(console, f"length/{len(written('length'))}")[2]
    finally:
        for sock in idle:
            sock.close()
