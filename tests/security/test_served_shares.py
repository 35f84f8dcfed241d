"""Thread limits of the console as it is deployed: one key, service or visitor and the others."""

from __future__ import annotations

import re
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from developer_console_client import Console

from tests.security.hostile_service import hostile_service
from tests.security.served_console import THREADS, Served, filled, served
from tests.servers import crowd

#: More than the number of threads.
MANY = THREADS + 6
TOGETHER = 20
#: The limits of the settings for one service, and for the bodies of one IP address.
TO_ONE_SERVICE, OF_ONE_ADDRESS = 24, THREADS // 2


@contextmanager
def meeting_service() -> Iterator[str]:
    """Answer as soon as this many requests are open at once."""
    barrier = threading.Barrier(TOGETHER)

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            barrier.wait(10)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("shares")
    with hostile_service() as hostile, hostile_service() as quick, meeting_service() as meeting:
        services = {"hostile": hostile, "quick": quick, "meeting": meeting}
        # With DEBUG, pages need no collected static files.
        more = {"TRUSTED_PROXY_COUNT": "1", "DEBUG": "true"}
        environment, key = filled(folder, services, **more)
        with served(environment, key, folder) as console:
            yield console


def written(head: str, body: bytes = b"", length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    lines = [head, "Host: localhost", f"Content-Length: {size}", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def answered(sockets: list[socket.socket], seconds: float) -> list[bytes]:
    """Return the response heads that arrive within this number of seconds."""
    heads, waiting, until = [], list(sockets), time.monotonic() + seconds
    while waiting and (left := until - time.monotonic()) > 0:
        for sock in select.select(waiting, [], [], left)[0]:
            heads.append(sock.recv(65536).partition(b"\r\n\r\n")[0])
            waiting.remove(sock)
    return heads


def statuses(heads: list[bytes]) -> Counter[int]:
    return Counter(int(head.split(b" ", 2)[1]) for head in heads)


def slowest(console: Served, *paths: str) -> float:
    """Request pages for a while and return the time of the slowest."""
    took = []
    for _ in range(10):
        for path in paths:
            began = time.monotonic()
            requests.get(console.url + path, timeout=30).raise_for_status()
            took.append(time.monotonic() - began)
    return max(took)


def test_hanging_runs_do_not_affect_pages_and_other_programs(console: Served) -> None:
    run = written(
        "POST /api/v1/functions/run_hostile/run HTTP/1.1\r\n"
        f"Authorization: Bearer {console.key}\r\nContent-Type: application/json",
        b'{"input": {"path": "silence"}}',
    )
    slowest(console, "/healthz", "/accounts/login/")
    with crowd(console.url, run, MANY) as sockets:
        assert slowest(console, "/healthz", "/accounts/login/") < 3
        refused = answered(sockets, seconds=5)
        assert statuses(refused) == {503: MANY - TO_ONE_SERVICE}
        busy = re.compile(rb"(?i)console-problem: (service|console)-busy")
        assert all(busy.search(head) for head in refused)
        assert all(re.search(rb"(?i)retry-after: [2-8]\r?$", head, re.M) for head in refused)
        # The same key can still call another service.
        answer = requests.get(console.address("quick", "fine"), headers=console.headers, timeout=30)
        assert (answer.status_code, answer.text) == (200, "ok")
    wait_for_calls(console, "/api/silence", TO_ONE_SERVICE)  # they count until they end


def wait_for_calls(console: Served, path: str, number: int) -> None:
    deadline = time.monotonic() + 60
    count = f"SELECT count(*) FROM invocations_invocation WHERE path = '{path}'"
    while console.rows(count)[0][0] < number:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def call_together(console: Served, number: int = TOGETHER) -> Counter[int]:
    address = console.address("meeting", "x")
    with ThreadPoolExecutor(number) as threads:
        calls = [
            threads.submit(requests.get, address, headers=console.headers, timeout=30)
            for _ in range(number)
        ]
        return Counter(call.result().status_code for call in calls)


def test_twenty_parallel_calls_to_one_service_pass(console: Served) -> None:
    assert call_together(console) == {200: TOGETHER}


def test_slow_bodies_of_strangers_leave_threads_free(console: Served) -> None:
    """They need no account, and each could otherwise occupy a thread indefinitely."""
    dribble = written(
        "POST /accounts/login/ HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1", b"x", length=100
    )
    slowest(console, "/healthz", "/accounts/login/")
    with crowd(console.url, dribble, MANY) as sockets:
        assert slowest(console, "/healthz", "/accounts/login/") < 3
        assert statuses(answered(sockets, seconds=5)) == {503: MANY - OF_ONE_ADDRESS}
        elsewhere = {"X-Forwarded-For": "192.0.2.2"}
        sent = requests.post(
            f"{console.url}/accounts/login/", data={"login": "x"}, headers=elsewhere, timeout=30
        )
        assert sent.status_code == 403  # no CSRF token, but the body was read


@pytest.mark.parametrize("size", [5, 300_000])
def test_an_interrupted_chunked_upload_reaches_no_service(console: Served, size: int) -> None:
    path = "/fine"
    parts = urlsplit(console.url)
    head = (
        f"PUT /api/v1/connections/hostile/proxy{path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {console.key}\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    ).encode()
    chunk = b"%x\r\n%b\r\n" % (size, b"x" * size)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as dying:
        dying.sendall(head + chunk)
        time.sleep(0.5)
    # The complete upload is passed on, and it is the only one.
    assert console.sends(head + chunk + b"0\r\n\r\n").startswith(b"HTTP/1.1 200 ")
    time.sleep(2)
    uploads = console.rows(
        f"SELECT bytes_in FROM invocations_invocation WHERE method = 'PUT' AND status < 400 "
        f"AND bytes_in = {size}"
    )
    assert len(uploads) == 1


def test_the_client_sees_a_broken_response(console: Served) -> None:
    with Console(console.url, console.key).connection("quick") as session:
        assert session.get("/fine").content == b"ok"
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            session.get("/far-too-short")
