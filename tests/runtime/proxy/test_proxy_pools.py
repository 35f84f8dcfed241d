"""Kept connections, and what a service sends over them that nobody asked for."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from connectors.http import connection_pool
from connectors.http.bulkhead import bulkhead
from connectors.http.http1 import Http1Connection
from connectors.http.stream import PIECE
from tests.runtime.proxy.program import (
    CALLS,
    OK,
    Exchange,
    hang_up,
    leading_to,
    on_loop,
    speaking,
)

#: What looks like the answer to whatever is asked next.
POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
HEAD_ONLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(POISON)


@pytest.fixture
def second(connect, grant):
    """A connection to the same service that acts with a credential of its own."""
    connection = connect("sandbox_api_key", name="Other orders", link_name="other_orders")
    grant(connection, secret={"key": "the-key-of-bob"})
    return connection


def poisoning(first: bytes, late: float = 0.0) -> Callable[[socket.socket], None]:
    """Answer the first request of a connection; what is sent afterwards is poison.

    It is sent ``late`` seconds later, or else when the next request is on its way already.
    """

    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(first)
        if late:
            time.sleep(late)
        elif not sock.recv(65536):
            return
        sock.sendall(POISON)
        sock.recv(65536)

    return speak


def test_a_connection_is_used_again(serve, program, keyed):
    listener = serve(OK, times=5)
    for _ in range(5):
        assert program.get("orders").body == b"ok"
    assert listener.connections == 1


def test_one_that_was_closed_meanwhile_is_made_anew(serve, program, keyed):
    listener = serve(OK)
    for _ in range(3):
        assert program.get("orders").body == b"ok"
        time.sleep(0.05)
    assert listener.connections == 3


def test_each_credential_has_connections_of_its_own(listen, settings, program, keyed, second):
    listener = listen(speaking(OK, times=5), together=True)
    leading_to(listener, settings)
    for _ in range(3):
        for name in ("orders", "other_orders"):
            assert program.get(name).body == b"ok"
    assert listener.connections == 2


def test_what_comes_too_much_reaches_no_other_credential(listen, settings, program, keyed, second):
    leading_to(listen(poisoning(OK), together=True), settings)
    assert program.get("orders").body == b"ok"
    assert program.get("other_orders").body == b"ok"


@pytest.mark.parametrize("then", ["orders", "other_orders"])
@pytest.mark.parametrize("late", [0.0, 0.05])
def test_a_late_body_of_a_head_reaches_nobody(listen, settings, program, keyed, second, then, late):
    """A HEAD tells a length and has no body; some services send it all the same."""

    def speak(sock: socket.socket) -> None:
        if sock.recv(4, socket.MSG_PEEK) == b"HEAD":
            poisoning(HEAD_ONLY, late)(sock)
        else:
            sock.recv(65536)
            sock.sendall(OK)

    leading_to(listen(speak, together=True), settings)
    assert program.call("HEAD", "orders").body == b""
    time.sleep(2 * late)
    assert program.get(then).body == b"ok"


@pytest.mark.parametrize("then", ["orders", "other_orders"])
def test_one_answer_too_many_reaches_nobody(listen, settings, program, keyed, second, then):
    listener = listen(poisoning(OK, late=0.05), together=True)
    leading_to(listener, settings)
    assert program.get("orders").body == b"ok"
    time.sleep(0.2)
    assert program.get(then).body == b"ok"
    assert listener.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        OK + OK,  # what could be taken for the next answer
        OK + b"x",
        b"HTTP/1.1 204 No Content\r\n\r\nbody",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nok",
        # Two ways to say where it ends (RFC 9112 section 6.3)
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_a_connection_that_carries_more_than_it_may_is_not_used_again(
    serve, program, keyed, answer
):
    listener = serve(answer, times=2)
    is_used_again = (
        b"204 No Content\r\nContent-Length" in answer
        or b"304 Not Modified\r\nTransfer" in answer
        or b"Content-Length: 2\r\nTransfer-Encoding" in answer
    ) and program.differs("a response that says it has a body where none may be")
    is_refused = b"Content-Length :" in answer and program.differs("a space before the colon")
    for _ in range(2):
        answered = program.get("orders")
        assert answered.body in {b"ok", b""} or (is_refused and answered.status == 502)
    assert listener.connections == (1 if is_used_again else 2)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\n\r\n"]
)
def test_an_answer_without_a_body_keeps_its_connection(serve, program, keyed, answer):
    listener = serve(answer, times=2)
    for _ in range(2):
        assert program.get("orders").body == b""
    assert listener.connections == 1


def test_to_a_head_only_the_head_comes(serve, program, keyed):
    listener = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", times=2)
    for _ in range(2):
        answer = program.call("HEAD", "orders")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.all("Content-Length") == ["12345"]
    assert listener.connections == 2


def test_a_program_that_goes_away_frees_the_connection(listen, settings, program, keyed):
    closed = threading.Event()

    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        with suppress(ConnectionError):
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * PIECE))
            sock.sendall(b"x" * 20 * PIECE)
            sock.recv(65536)
        closed.set()

    listener = listen(speak)
    leading_to(listener, settings)
    origin = ("proxied", "http", "127.0.0.1", listener.port)
    seen: list[int] = []

    def arrived(exchange: Exchange) -> None:
        seen.append(bulkhead.in_progress(origin))
        exchange.disconnect()

    answer = program.get("orders", arrived=arrived)
    assert (answer.status, answer.broke_off) == (200, True)
    assert seen[0] == (0 if program.is_nginx else 1)  # nginx counts its own calls
    assert program.logged()["problem"] == "caller-gone"
    assert closed.wait(5)
    assert (bulkhead.in_progress(origin), len(connection_pool.pool)) == (0, 0)


def test_a_program_that_goes_away_ends_a_call_that_waits(listen, settings, program, keyed):
    """The service has not answered yet. It sees the connection close, and nothing is left."""
    closed = threading.Event()

    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        if not sock.recv(65536):
            closed.set()

    listener = listen(speak)
    leading_to(listener, settings)
    exchange = program.path.exchange(program.scope("GET", f"{CALLS}/orders/proxy/contacts"))
    program.calls += 1

    async def leave() -> None:
        call = asyncio.ensure_future(exchange.run())
        await asyncio.sleep(0.2)
        exchange.disconnect()
        await call

    on_loop(leave())
    assert closed.wait(5)
    row = program.logged()
    assert (row["status"], row["problem"], exchange.answer.status) == (0, "caller-gone", 0)
    assert bulkhead.in_progress(("proxied", "http", "127.0.0.1", listener.port)) == 0
    assert bulkhead.in_progress("proxied") == 0


# The pool without the proxy


@pytest.fixture
def line():
    """Give a function that makes a connection which is open at both ends."""
    ends: list[socket.socket] = []

    def make() -> Http1Connection:
        ours, theirs = socket.socketpair()
        ends.append(theirs)

        async def connect() -> Http1Connection:
            loop = asyncio.get_running_loop()
            return (await loop.create_connection(Http1Connection, sock=ours))[1]

        return on_loop(connect())

    yield make
    hang_up()
    for end in ends:
        end.close()


def test_the_pool_keeps_so_many_and_closes_the_oldest(line, monkeypatch):
    monkeypatch.setattr(connection_pool, "MAX_IDLE_PER_KEY", 2)
    monkeypatch.setattr(connection_pool, "MAX_IDLE", 4)
    pool = connection_pool.ConnectionPool()
    lines = [line() for _ in range(7)]
    for number, each in enumerate(lines):
        pool.keep("ab" if number < 3 else number, each)
    assert len(pool) == 4
    assert [each.is_open for each in lines] == [False, False, False, *[True] * 4]
    assert pool.take("ab", 30) is None
    assert pool.take(6, 30) is lines[6]
    pool.close_all()
    lines[6].close()
    assert len(pool) == 0


def test_the_pool_closes_what_nobody_needs_any_more(line, monkeypatch):
    monkeypatch.setattr(connection_pool, "IDLE_SECONDS", 0.01)
    pool = connection_pool.ConnectionPool()
    old, new = line(), line()
    pool.keep("a", old)
    time.sleep(0.02)
    pool.keep("b", new)
    assert (old.is_open, new.is_open, len(pool)) == (False, True, 1)
    pool.close_all()
