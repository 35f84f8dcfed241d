"""Bodies on their way to a service: whole, or never completed (RFC 9112 sections 6.3 and 8)."""

from __future__ import annotations

import asyncio
import queue
import socket
import threading
import time
from contextlib import suppress

import pytest

from console.runtime import asgi_request, request_body
from console.runtime.proxy_app import REPLAYED_BYTES
from tests.runtime.proxy.program import (
    CALLS,
    OK,
    Answered,
    Program,
    leading_to,
    on_loop,
)

CONTACTS = f"{CALLS}/orders/proxy/contacts"
CHUNKED = {"Transfer-Encoding": "chunked"}


@pytest.fixture
def swallow(listen, settings):
    """A service that remembers what came over each connection, to its end."""
    came: queue.Queue[bytes] = queue.Queue()

    def speak(sock: socket.socket) -> None:
        all_of_it = b""
        while piece := sock.recv(65536):
            all_of_it += piece
        came.put(all_of_it)

    leading_to(listen(speak), settings)
    return came


def test_a_small_body_is_sent_with_its_length(upstream, program, keyed):
    program.call("POST", "orders", body=b"x" * 1000)
    assert upstream.only.all("Content-Length") == ["1000"]
    assert upstream.only.body == b"x" * 1000


def test_a_large_body_is_sent_as_it_comes(upstream, program, keyed):
    body = b"0123456789" * (REPLAYED_BYTES // 5)
    assert program.call("POST", "orders", body=body).status == 200
    assert upstream.only.body == body
    assert upstream.only.all("Content-Length") == [str(len(body))]


@pytest.mark.parametrize("coding", ["chunked", "gzip, chunked", "Chunked"])
@pytest.mark.parametrize("pieces", [[], [b"hello"], [b"x" * 1000] * 1000])
def test_a_body_in_chunks_is_sent_with_its_length_if_it_is_small(
    upstream, program, keyed, coding, pieces
):
    scope = program.scope("PUT", CONTACTS, headers={"Transfer-Encoding": coding})
    if program.differs("transfer codings other than") and coding != coding.split(",")[0]:
        # 0: the connection was closed while the body was still being sent.
        assert program.ask(scope, pieces).status in {0, 501}
        assert upstream.asked == []
        return
    assert program.ask(scope, pieces).status == 200
    assert upstream.only.body == b"".join(pieces)
    assert upstream.only.all("Content-Length") == [str(len(b"".join(pieces)))]
    assert upstream.only.all("Transfer-Encoding") == []


@pytest.fixture
def unchunked(listen, settings):
    """A service that answers once it has read the last chunk of a body."""
    came: queue.Queue[bytes] = queue.Queue()

    def speak(sock: socket.socket) -> None:
        all_of_it = b""
        while not all_of_it.endswith(b"\r\n0\r\n\r\n"):
            if not (piece := sock.recv(65536)):
                break
            all_of_it += piece
        came.put(all_of_it)
        sock.sendall(OK)

    leading_to(listen(speak), settings)
    return came


def is_refused(program: Program, answer: Answered) -> bool:
    """Tell whether a request that broke off was refused: nginx answers nobody who has left."""
    if program.differs("a request that breaks off"):
        return answer.status == 0
    return (answer.status, answer.problem) == (400, "request-invalid")


def arrived(came: queue.Queue[bytes]) -> bytes:
    """Return what the service received, or nothing if nothing was sent to it.

    The loop goes on meanwhile: behind nginx, a call may end after the program has left.
    """

    async def wait() -> bytes:
        for _ in range(500):
            with suppress(queue.Empty):
                return came.get_nowait()
            await asyncio.sleep(0.01)
        return b""

    return on_loop(wait())


def parsed(message: bytes) -> tuple[bytes, bytes]:
    """Return the head, and the body without its chunks."""
    head, _, rest = message.partition(b"\r\n\r\n")
    body = b""
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        body, rest = body + rest[:length], rest[length + 2 :]
    return head, body


def test_a_large_body_in_chunks_is_sent_in_chunks(unchunked, program, keyed):
    pieces = [b"a" * 65_536] * 40
    scope = program.scope("PUT", CONTACTS, headers=CHUNKED)
    assert program.ask(scope, pieces).status == 200
    head, body = parsed(unchunked.get(timeout=10))
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body == b"".join(pieces)
    assert program.logged()["bytes_in"] == len(body)


def test_a_large_body_in_chunks_that_breaks_off_is_never_completed(swallow, program, keyed):
    scope = program.scope("PUT", CONTACTS, headers=CHUNKED)
    answer = program.ask(scope, [b"x" * 65_536] * 40, breaks_off=True)
    assert is_refused(program, answer)
    received = arrived(swallow)
    assert received or program.is_nginx
    assert b"\r\n0\r\n\r\n" not in received


def test_a_small_body_in_chunks_that_breaks_off_is_not_sent(upstream, program, keyed):
    scope = program.scope("PUT", CONTACTS, headers=CHUNKED)
    answer = program.ask(scope, [b"hello"], breaks_off=True)
    assert is_refused(program, answer)
    assert program.is_nginx or "broke off before its end" in answer.json()["detail"]
    assert upstream.asked == []


def test_a_body_in_chunks_that_is_too_large(upstream, program, keyed, settings):
    settings.PROXY_MAX_REQUEST_BYTES = 10
    scope = program.scope("PUT", CONTACTS, headers=CHUNKED)
    assert program.ask(scope, [b"x" * 11]).problem == "request-too-large"
    assert upstream.asked == []


def test_a_body_in_chunks_that_becomes_too_large_is_never_completed(
    swallow, program, keyed, settings
):
    settings.PROXY_MAX_REQUEST_BYTES = 3 * REPLAYED_BYTES
    scope = program.scope("PUT", CONTACTS, headers=CHUNKED)
    answer = program.ask(scope, [b"x" * 65_536] * 60)
    assert (answer.status, answer.problem) == (413, "request-too-large")
    received = arrived(swallow)
    assert received or program.is_nginx
    assert b"\r\n0\r\n\r\n" not in received


# nginx speaks HTTP/1.1 with the console, whatever programs speak with nginx.
@pytest.mark.parametrize("data_path", ["python"], indirect=True)
def test_a_body_of_http_2_needs_no_header(upstream, program, keyed):
    scope = program.scope("PUT", CONTACTS, http_version="2")
    assert program.ask(scope, [b"x"]).status == 200
    assert upstream.only.body == b"x"
    assert program.ask(program.scope("GET", CONTACTS, http_version="2")).status == 200


def test_a_request_that_is_too_large(listen, program, keyed, settings):
    settings.PROXY_MAX_REQUEST_BYTES = REPLAYED_BYTES + 10
    listener = listen()
    leading_to(listener, settings)
    answer = program.call("POST", "orders", body=b"x" * (REPLAYED_BYTES + 200_000))
    assert (answer.status, answer.problem) == (413, "request-too-large")
    assert listener.connections == 0


@pytest.mark.parametrize("there", [0, 50])
def test_a_small_body_that_breaks_off_is_not_sent(serve, program, keyed, there):
    listener = serve(OK)
    scope = program.scope("POST", CONTACTS, headers={"Content-Length": "100"})
    answer = program.ask(scope, [b"x" * there])
    assert is_refused(program, answer)
    assert listener.connections == 0


def test_a_large_body_that_breaks_off_is_never_completed(swallow, program, keyed):
    length, there = 3 * REPLAYED_BYTES, 2 * REPLAYED_BYTES
    scope = program.scope("PUT", CONTACTS, headers={"Content-Length": str(length)})
    answer = program.ask(scope, [b"x" * 65_536] * (there // 65_536))
    assert is_refused(program, answer)
    head, _, body = arrived(swallow).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % length in head or (program.is_nginx and not head)
    assert len(body) <= there


@pytest.mark.parametrize("there", [0, 3])
def test_a_body_that_is_too_slow_is_given_up(upstream, program, keyed, monkeypatch, there):
    monkeypatch.setattr(request_body, "SECONDS", 0.2)
    scope = program.scope("POST", CONTACTS, headers={"Content-Length": "10"})
    answer = program.ask(scope, [b"x" * there], hangs=True)
    if program.differs("a body of up to 64 KiB that arrives too slowly"):
        assert answer.status == 0
        assert upstream.asked == []
        return
    assert (answer.status, answer.problem) == (408, "request-timeout")
    assert upstream.asked == []


def test_a_large_body_that_is_too_slow_is_never_completed(swallow, program, keyed, monkeypatch):
    monkeypatch.setattr(request_body, "SECONDS", 0.2)
    monkeypatch.setattr(request_body, "BYTES_A_SECOND", 1_000_000_000)
    length = str(3 * REPLAYED_BYTES)
    scope = program.scope("POST", CONTACTS, headers={"Content-Length": length})
    answer = program.ask(scope, [b"x" * 65_536] * 20, hangs=True)
    if answer.status or not program.is_nginx:  # nginx may be the first that loses patience
        assert (answer.status, answer.problem) == (408, "request-timeout")
    assert len(arrived(swallow)) < int(length)


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "1, 1", "\xb2"])
def test_a_length_that_is_none_is_refused(upstream, program, keyed, length):
    scope = program.scope("POST", CONTACTS, headers={"Content-Length": length})
    answer = program.ask(scope)
    assert answer.status == 400
    if not program.differs("transfer codings other than"):
        assert answer.problem == "request-invalid"
    assert upstream.asked == []


@pytest.mark.parametrize("status", [200, 413])
def test_a_service_may_answer_before_it_has_read_the_body(listen, settings, program, keyed, status):
    """As RFC 9112 section 9.5 allows. The connection is not used again."""
    over = threading.Event()

    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 %d Enough\r\nContent-Length: 2\r\n\r\nok" % status)
        over.wait(10)  # and reads nothing else

    listener = listen(speak, together=True)
    leading_to(listener, settings)
    for _ in range(2):
        answer = program.call("POST", "orders", body=b"x" * 30 * REPLAYED_BYTES)
        assert (answer.status, answer.body) == (status, b"ok")
    over.set()
    assert listener.connections == 2


@pytest.mark.parametrize("problem", ["connection-not-found", "request-too-large"])
def test_a_refusal_reaches_a_program_that_is_still_sending(program, keyed, settings, problem):
    settings.PROXY_MAX_REQUEST_BYTES = 3 * REPLAYED_BYTES
    link_name = "nowhere" if problem == "connection-not-found" else "orders"
    for _ in range(8):
        answer = program.call("POST", link_name, body=b"x" * 30 * REPLAYED_BYTES)
        assert answer.problem == problem


@pytest.mark.parametrize("data_path", ["python"], indirect=True)  # looks into the exchange
def test_the_rest_of_a_body_is_received_after_the_answer(program, monkeypatch):
    pieces = [b"x" * 65_536] * 20
    scope = program.scope("POST", CONTACTS.replace("orders", "nowhere"), headers=CHUNKED)
    exchange = program.path.exchange(scope, pieces)
    assert on_loop(exchange.run()).problem == "connection-not-found"
    assert exchange._pieces is None

    # For a sender that pauses, and for one that never ends, there is a limit.
    slow = [
        ("LINGER_IDLE_SECONDS", program.path.exchange(scope, pieces, hangs=True)),
        ("LINGER_SECONDS", program.path.exchange(scope, pieces * 100, pause=0.01)),
    ]
    for limit, exchange in slow:
        with monkeypatch.context() as patch:
            patch.setattr(asgi_request, limit, 0.1)
            began = time.monotonic()
            assert on_loop(exchange.run()).problem == "connection-not-found"
            assert time.monotonic() - began < 10  # the sleep of ``hangs`` and the pauses: 20 s
            assert exchange._pieces is not None


def test_request_and_response_are_streamed_at_the_same_time(listen, settings, program, keyed):
    """The service answers from the first piece on, and ends when it has the last one."""
    came: queue.Queue[bytes] = queue.Queue()

    def speak(sock: socket.socket) -> None:
        received = sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nbegin\r\n")
        while not received.endswith(b"\r\n0\r\n\r\n"):
            if not (piece := sock.recv(65536)):
                break
            received += piece
        came.put(received)
        sock.sendall(b"3\r\nend\r\n0\r\n\r\n")

    leading_to(listen(speak), settings)
    pieces = [bytes([number]) * 65_536 for number in range(40)]
    scope = program.scope("PUT", CONTACTS, headers=CHUNKED)
    answer = program.ask(scope, pieces, pause=0.005)
    assert (answer.status, answer.body, answer.broke_off) == (200, b"beginend", False)
    assert parsed(came.get(timeout=10))[1] == b"".join(pieces)


def test_another_upgrade_is_ignored(upstream, program, keyed):
    """A server may (RFC 9110 section 7.8), and some clients always offer HTTP/2."""
    answer = program.get("orders", headers={"Upgrade": "h2c", "Connection": "Upgrade"})
    assert answer.status == 200
    assert upstream.only.all("Upgrade") == []
