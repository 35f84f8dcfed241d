"""What breaks in the middle of a call: nginx, its connection to the console, the program."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
import requests

from tests.gateway.conftest import PROXY_SECONDS
from tests.gateway.nginx_server import is_by_nginx, nginx
from tests.gateway.test_gateway_secrets import _between

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#: More than one key and one service may have at once (conftest.py).
TIMES = 30


@pytest.fixture
def stream(paths):
    """Let the service send the first half of a response, and the second when it may go on."""
    go_on = threading.Event()

    def waits(sock, request):
        sock.sendall(EVENTS + b"5\r\nfirst\r\n")
        go_on.wait(10)
        sock.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

    paths.item.answers["/api/waits"] = waits
    yield go_on
    go_on.set()


def test_nginx_that_is_reloaded_finishes_running_calls(paths, stream, tmp_path):
    with nginx(tmp_path / "nginx", paths.console.url) as proxy:
        before = proxy.workers
        with requests.get(
            proxy.address("item", "waits"), headers=paths.console.headers, stream=True, timeout=10
        ) as answer:
            pieces = answer.iter_content(5)
            assert next(pieces) == b"first"
            os.kill(proxy.main, signal.SIGHUP)
            deadline = time.monotonic() + 10
            while set(proxy.workers) <= set(before) and time.monotonic() < deadline:
                time.sleep(0.05)
            called = requests.get(
                proxy.address("item", "x"), headers=paths.console.headers, timeout=10
            )
            assert called.status_code == 200 and is_by_nginx(called)
            stream.set()
            assert b"".join(pieces) == b"second"


def test_what_a_killed_worker_was_sending_is_never_whole(paths, stream, tmp_path):
    with nginx(tmp_path / "nginx", paths.console.url) as proxy:
        with requests.get(
            proxy.address("item", "waits"), headers=paths.console.headers, stream=True, timeout=10
        ) as answer:
            pieces = answer.iter_content(5)
            assert next(pieces) == b"first"
            for worker in proxy.workers:
                os.kill(worker, signal.SIGKILL)
            with pytest.raises(requests.RequestException):
                list(pieces)
        stream.set()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                called = requests.get(
                    proxy.address("item", "x"), headers=paths.console.headers, timeout=10
                )
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        assert called.status_code == 200


def test_a_route_is_not_used_any_longer_without_the_console(paths, tmp_path):
    """It was valid for a second at most; afterwards nothing is sent to the service."""
    with ExitStack() as way:
        url, _ = way.enter_context(_between(paths.console.url))
        with nginx(tmp_path / "nginx", url) as proxy:
            address = proxy.address("item", "x")
            assert requests.get(address, headers=paths.console.headers, timeout=10).ok
            way.close()
            time.sleep(1.1)
            before = len(paths.item.received)
            answer = requests.get(address, headers=paths.console.headers, timeout=10)
            assert (answer.status_code, answer.headers["Console-Problem"]) == (503, "unavailable")
            assert len(paths.item.received) == before


@pytest.fixture
def dying():
    """The URL of a console that takes each request and closes the connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take_and_close():
        with suppress(OSError):
            while True:
                sock, _ = listener.accept()
                with sock:
                    sock.recv(65_536)

    thread = threading.Thread(target=take_and_close)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_call_that_the_console_broke_off_may_have_been_made(paths, dying, tmp_path):
    """The answer must not say that nothing was sent, nor ask to repeat the call."""
    with nginx(tmp_path / "nginx", dying) as proxy:
        answer = requests.post(
            proxy.address("item", "x"), b"order", headers=paths.console.headers, timeout=10
        )
    assert (answer.status_code, answer.json()["status"]) == (500, 500)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Console-Problem"] == "internal-error"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "may have been made" in answer.json()["detail"]
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("of", ["nginx", "python"])
@pytest.mark.parametrize(
    ("path", "status"),
    [("/api/v1/connections/item/proxy/x", 401), ("/api/v1/connections/", 413)],
)
def test_a_refusal_reaches_a_program_that_is_still_sending(paths, of, path, status):
    url = paths.nginx.url if of == "nginx" else paths.console.url
    for _ in range(8):
        answer = requests.post(
            url + path, b"x" * 30_000_000, headers={"Authorization": "Bearer wrong"}, timeout=20
        )
        assert answer.status_code == status


@pytest.mark.parametrize("of", ["nginx", "python"])
def test_programs_that_leave_at_each_stage_hold_nothing(paths, stream, of):
    parts = urlsplit(paths.nginx.url if of == "nginx" else paths.console.url)
    head = (
        f"GET /api/v1/connections/item/proxy/waits HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {paths.keys.key}\r\n"
    ).encode()
    upload = head.replace(b"GET", b"POST") + b"Content-Length: 1000\r\n\r\n"
    stages = {
        "connected": b"",
        "within the head": head[:40],
        "before the end of the head": head,
        "within the body": upload + b"x" * 10,
        "before the answer": head + b"\r\n",
    }
    for name, sent in stages.items():
        for _ in range(TIMES):
            with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
                sock.sendall(sent)
                if name == "before the answer":
                    assert b"first" in received(sock)
        deadline = time.monotonic() + 5
        while (status := paths.call("/x", of=of).status_code) == 503:
            assert time.monotonic() < deadline, f"Left {name}, they hold their places."
            time.sleep(0.05)
        assert status == 200, name


@contextmanager
def slow_reader(paths, of, path):
    """Send a request, and yield a socket with little room for the response."""
    parts = urlsplit(paths.url("item", path, of=of))
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        sock.settimeout(10)
        sock.connect((parts.hostname, parts.port))
        sock.sendall(
            f"GET {parts.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {paths.keys.key}\r\n\r\n".encode()
        )
        yield sock


@pytest.mark.parametrize("of", ["nginx", "python"])
def test_a_program_that_reads_slowly_receives_everything(paths, of):
    body = bytes(range(256)) * 16 * 1024
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    paths.item.answers["/api/large"] = head + body
    answer, began = bytearray(), time.monotonic()
    with slow_reader(paths, of, "/large") as sock:
        while piece := sock.recv(64 * 1024):
            answer += piece
            if time.monotonic() < began + 1.5 * PROXY_SECONDS:
                time.sleep(0.05)
    assert bytes(answer.partition(b"\r\n\r\n")[2]) == body
    # The connection to the service is used again.
    assert paths.call("/x", of=of).status_code == 200


@pytest.mark.parametrize("of", ["nginx", "python"])
def test_a_program_that_stops_reading_is_let_go(paths, of):
    is_let_go = threading.Event()

    def endless(sock, request):
        sock.sendall(EVENTS)
        try:
            while True:
                sock.sendall(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        except OSError:
            is_let_go.set()

    paths.item.answers["/api/flood"] = endless
    with slow_reader(paths, of, "/flood") as sock:
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")
        assert is_let_go.wait(10 * PROXY_SECONDS)
        answer = b""
        with suppress(ConnectionError):
            while piece := sock.recv(64 * 1024):
                answer = (answer + piece)[-10:]
        assert not answer.endswith(b"0\r\n\r\n")
    rows = [row[2:4] for row in paths.log() if row[1] == "/api/flood"]
    assert rows[-1] == (200, "caller-gone")


def received(sock: socket.socket) -> bytes:
    """Return what arrives up to the first piece, or an answer without one."""
    answer = b""
    while b"first" not in answer:
        if not (piece := sock.recv(65_536)):
            break
        answer += piece
    return answer
