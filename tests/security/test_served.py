"""The console as it is deployed: slow and fast services (security.md X16), ambiguous requests
(X17), and the call log when the process or the database stops.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from tests.security.hostile_service import hostile_service
from tests.security.served_console import Served, filled, served

CALLERS = 200
#: At least a third of the threads stays free for others.
AT_ONCE = 32
SLOW_SECONDS = 6.0
COUNT = "SELECT count(*) FROM invocations_invocation"


@contextmanager
def recording_service(asked: list[bytes]) -> Iterator[str]:
    """Serve one request for each connection and record all its bytes."""
    bound = socket.create_server(("127.0.0.1", 0))

    def speak(sock: socket.socket) -> None:
        with sock, suppress(OSError):
            sock.settimeout(0.3)
            came = b""
            with suppress(TimeoutError):
                while piece := sock.recv(65536):
                    came += piece
            if came:
                asked.append(came)
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    def serve() -> None:
        with suppress(OSError):
            while True:
                sock, _ = bound.accept()
                threading.Thread(target=speak, args=(sock,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    bound.shutdown(socket.SHUT_RDWR)
    bound.close()


@pytest.fixture(scope="module")
def asked() -> list[bytes]:
    return []


@pytest.fixture(scope="module")
def start(
    tmp_path_factory: pytest.TempPathFactory, asked: list[bytes]
) -> Iterator[Callable[[], contextmanager]]:
    """Return a function that serves the console with the same rows and services each time."""
    folder: Path = tmp_path_factory.mktemp("served")
    with hostile_service() as slow, hostile_service() as quick, recording_service(asked) as heard:
        environment, key = filled(
            folder,
            {"slow": slow, "quick": quick, "heard": heard},
            PROXY_SECONDS=str(SLOW_SECONDS),
            PROXY_CALLS_AT_ONCE_PER_SERVICE=str(AT_ONCE),
        )
        yield lambda: served(environment, key, folder)


@pytest.fixture(scope="module")
def console(start: Callable[[], contextmanager]) -> Iterator[Served]:
    with start() as console:
        yield console


def call(console: Served, link_name: str, path: str = "fine") -> requests.Response:
    return requests.get(console.address(link_name, path), headers=console.headers, timeout=30)


def wait_for(truth: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if truth():
            return True
        time.sleep(0.1)
    return truth()


# With a slow service (X16)


def test_a_hanging_service_does_not_affect_others(console: Served) -> None:
    """``make bench`` measures latencies; here no call waits for the slow service."""
    answers: list[tuple[int, str, str]] = []

    def wait_long() -> None:
        answer = call(console, "slow", "silence")
        problem = answer.headers["Console-Problem"]
        answers.append((answer.status_code, problem, answer.headers.get("Retry-After", "")))

    call(console, "quick")
    callers = [threading.Thread(target=wait_long) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    assert wait_for(lambda: len(answers) >= CALLERS - AT_ONCE)
    for _ in range(50):
        began = time.monotonic()
        assert call(console, "quick").status_code == 200
        assert time.monotonic() - began < SLOW_SECONDS / 4
    assert len(answers) == CALLERS - AT_ONCE  # the others waited all the time
    for caller in callers:
        caller.join()
    turned_away = [each for each in answers if each[0] == 503]
    assert len(turned_away) == CALLERS - AT_ONCE
    waits = {int(seconds) for *_, seconds in turned_away}
    assert waits <= {2, 3, 4, 5, 6, 7, 8}
    assert len(waits) > 1  # they do not retry together
    busy = {(503, "service-busy"), (503, "console-busy")}
    assert {each[:2] for each in answers} - busy == {(504, "service-timeout")}
    assert call(console, "slow").status_code == 200  # afterwards all is normal


# Ambiguous requests (X17)

CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
SMUGGLED = b"GET /api/v1/connections/heard/proxy/smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
AMBIGUOUS = {
    "both": (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", CHUNKED),
    "both, the other way round": (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", CHUNKED),
    "both, and a request within": (
        b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (len(CHUNKED) + len(SMUGGLED)),
        CHUNKED + SMUGGLED,
    ),
    "two lengths": (b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"),
    "a list of lengths": (b"Content-Length: 5, 6\r\n", b"hello!"),
    "a length with a sign": (b"Content-Length: +5\r\n", b"hello"),
    "chunked twice": (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", CHUNKED),
    "chunked and not last": (b"Transfer-Encoding: chunked, identity\r\n", CHUNKED),
    "almost chunked": (b"Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n", b"hello"),
    "a name with a space": (b"Transfer-Encoding : chunked\r\nContent-Length: 5\r\n", b"hello"),
    "a folded line": (b"Content-Length: 5\r\nX: a\r\n b\r\n", b"hello"),
    "a bare line feed": (b"Content-Length: 5\nTransfer-Encoding: chunked\r\n", CHUNKED),
    "a chunk that is no number": (b"Transfer-Encoding: chunked\r\n", b"xyz\r\nhello\r\n0\r\n\r\n"),
    "a chunk beyond all numbers": (
        b"Transfer-Encoding: chunked\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
    ),
    "chunk extensions": (b"Transfer-Encoding: chunked\r\n", b'5;a="b"\r\nhello\r\n0\r\n\r\n'),
    "trailers": (
        b"Transfer-Encoding: chunked\r\n",
        b"5\r\nhello\r\n0\r\nAuthorization: Bearer x\r\nContent-Length: 0\r\n\r\n",
    ),
}


@pytest.mark.parametrize("how", AMBIGUOUS)
def test_ambiguous_requests_are_refused_or_normalized(
    console: Served, asked: list[bytes], how: str
) -> None:
    framing, body = AMBIGUOUS[how]
    asked.clear()
    answer = console.sends(
        b"POST /api/v1/connections/heard/proxy/said HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer " + console.key.encode() + b"\r\nConnection: close\r\n"
        + framing + b"\r\n" + body
    )  # fmt: skip
    status = int(answer.split(b" ", 2)[1]) if answer else 400  # disconnected: not a request
    assert answer.count(b"HTTP/1.1 ") <= 1 and b"smuggled" not in b"".join(asked)
    if status != 200:
        assert status == 400, answer
        assert asked == []
        return
    (sent,) = asked
    head, _, received = sent.partition(b"\r\n\r\n")
    assert b"\nTransfer-Encoding" not in head
    assert received == b"hello"
    assert re.findall(rb"(?i)content-length: *(\d+)", head) == [b"5"]


# The call log


def test_the_call_log_is_written_when_the_process_ends(start: Callable) -> None:
    with start() as console:
        ((before,),) = console.rows(COUNT)
        for _ in range(5):
            assert call(console, "quick").status_code == 200
        os.kill(console.main, signal.SIGTERM)
        log = console.log
        assert wait_for(lambda: "completed" in log.read_text())
        assert console.rows(COUNT) == [(before + 5,)]


def test_log_entries_wait_for_the_database(console: Served) -> None:
    assert call(console, "quick").status_code == 200
    time.sleep(1)
    ((before,),) = console.rows(COUNT)
    console.rows("ALTER TABLE invocations_invocation RENAME TO put_away")
    try:
        for _ in range(20):
            assert call(console, "quick").status_code == 200
        assert wait_for(lambda: "invocations wait: OperationalError" in console.log.read_text())
    finally:
        console.rows("ALTER TABLE put_away RENAME TO invocations_invocation")
    assert wait_for(lambda: console.rows(COUNT) == [(before + 20,)]), console.rows(COUNT)
