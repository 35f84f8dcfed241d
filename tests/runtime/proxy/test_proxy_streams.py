"""Bodies of any size and speed, over kept connections (security.md X13 to X17, X20)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from connectors.http.stream import PIECE
from tests.runtime.proxy.program import OK, leading_to

MEBIBYTE = 1024 * 1024


def test_a_chunked_answer_comes_back_whole(serve, program, keyed):
    serve(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    answer = program.get("orders")
    in_chunks = program.differs("`Content-Length` of a short") and answer.is_by_nginx
    assert answer.body == b"abcde"
    assert answer.all("Content-Length") == ([] if in_chunks else ["5"])
    assert answer.all("Transfer-Encoding") == []


def test_chunks_count_where_a_length_is_announced_as_well(serve, program, keyed):
    serve(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n"
    )
    answer = program.get("orders")
    assert (answer.status, answer.body) == (200, b"abc")
    in_chunks = program.differs("`Content-Length` of a short") and answer.is_by_nginx
    assert answer.all("Content-Length") == ([] if in_chunks else ["3"])


def test_what_comes_before_the_answer_is_left_out(serve, program, keyed):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    listener = serve(b"HTTP/1.1 100 Continue\r\n\r\n" + early + OK, times=2)
    for _ in range(2):
        answer = program.get("orders")
        if program.differs("informational responses"):
            assert answer.broke_off and not answer.body
            continue
        assert (answer.status, answer.body, answer.all("Link")) == (200, b"ok", [])
    assert listener.connections == (2 if program.is_nginx else 1)


def test_a_line_may_end_without_cr(serve, program, keyed):
    serve(b"HTTP/1.1 200 OK\nContent-Length: 2\nX-Said: yes\n\nok")
    answer = program.get("orders")
    assert (answer.body, answer.all("X-Said")) == (b"ok", ["yes"])


@pytest.mark.parametrize("spaces", [b" ", b"\t", b"  \t "])
def test_whitespace_before_a_colon_is_taken_away(serve, program, keyed, spaces):
    """As RFC 9112 section 5.1 demands of a proxy; a value keeps its own."""
    # nginx knows no informational responses: see below.
    early = (
        b"" if program.is_nginx else b"HTTP/1.1 103 Early Hints\r\nLink%b: </x>\r\n\r\n" % spaces
    )
    head = b"HTTP/1.1 200 OK\r\nX-Said%b: a : b\r\nContent-Length%b: 6\r\n\r\n"
    serve(early + head % (spaces, spaces) + b"a : b\n")
    answer = program.get("orders")
    if program.differs("a space before the colon"):
        assert (answer.status, answer.problem) == (502, "answer-unintelligible")
        return
    assert (answer.status, answer.body) == (200, b"a : b\n")
    assert answer.all("X-Said") == ["a : b"]


def test_whitespace_before_a_colon_may_come_in_pieces(listen, settings, program, keyed):
    whole = b"HTTP/1.1 200 OK\r\nX-Said : yes\r\nContent-Length : 4\r\n\r\na :b"

    def speak(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.recv(65536)
        for at in range(len(whole)):
            sock.sendall(whole[at : at + 1])
            time.sleep(0.0005)

    leading_to(listen(speak), settings)
    answer = program.get("orders")
    if program.differs("a space before the colon"):
        assert answer.problem == "answer-unintelligible"
        return
    assert (answer.body, answer.all("X-Said")) == (b"a :b", ["yes"])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        # A folded line could be read as two (RFC 9112 section 5.2 lets a gateway refuse it).
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_what_is_no_answer_is_a_problem_and_not_a_failure(serve, program, keyed, answer):
    serve(answer)
    answered = program.get("orders")
    if answer.count(b"X: y") == 200 and program.differs("a response with more than 100 headers"):
        assert (answered.status, answered.broke_off) == (200, False)
        return
    if answered.status != 502 and program.differs("informational responses"):
        assert answered.broke_off  # what nginx takes for HTTP/0.9 or an early part
        return
    assert answered.status == 502
    assert answered.problem in {"service-unreachable", "answer-unintelligible"}


def test_a_large_answer_is_not_held(serve, program, keyed):
    size = 20 * PIECE
    serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    answer = program.get("orders")
    assert (answer.status, answer.all("Content-Length")) == (200, [str(size)])
    sizes = [len(piece) for piece in answer.pieces]
    assert sum(sizes) == size
    assert max(sizes) <= PIECE


def test_an_announced_answer_that_is_too_large(serve, program, keyed, settings):
    settings.PROXY_MAX_ANSWER_BYTES = 1000
    serve(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (502, "answer-too-large")


def test_an_endless_answer_is_cut(serve, program, keyed, settings):
    settings.PROXY_MAX_ANSWER_BYTES = 5 * PIECE
    serve(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (20 * PIECE))
    answer = program.get("orders")
    assert (answer.status, answer.broke_off) == (200, True)
    assert len(answer.body) <= settings.PROXY_MAX_ANSWER_BYTES
    assert program.logged()["problem"] == "answer-too-large"


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked", b"Content-Length: 9000000"])
def test_what_breaks_off_is_not_ended(serve, program, keyed, framing):
    """The response is left without an end, which a server makes a break of; the log says why."""
    chunk = b"100000\r\n" + b"x" * MEBIBYTE + b"\r\n"
    serve(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n" + chunk)
    answer = program.get("orders")
    assert (answer.status, answer.broke_off) == (200, True)
    assert bool(answer.all("Content-Length")) is framing.startswith(b"Content")
    line = program.logged()
    assert (line["status"], line["problem"]) == (200, "service-unreachable")
    assert line["bytes_out"] >= MEBIBYTE


def test_it_breaks_off_before_its_first_piece(serve, program, keyed):
    serve(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
    answer = program.get("orders")
    assert (answer.status, answer.broke_off) == (200, True)
    assert program.logged()["problem"] == "service-unreachable"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Type: text/event-stream",
        b"Content-Type: Text/Event-Stream; charset=utf-8",
        b"Content-Type: application/x-ndjson",
        b"Content-Type: text/plain",
        b"X-Type: none",
        b"Content-Type: text/plain\r\nContent-Length: 100000",
    ],
)
@pytest.mark.parametrize("is_chunked", [False, True])
def test_each_piece_is_passed_on_as_it_comes(listen, settings, program, keyed, head, is_chunked):
    more = threading.Event()

    def written(piece: bytes) -> bytes:
        return b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece

    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        coding = b"\r\nTransfer-Encoding: chunked" if is_chunked else b""
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + head + coding + b"\r\n\r\n")
        sock.sendall(written(b"data: 1\n\n"))
        more.wait(10)
        sock.sendall(written(b"x" * 99_991) + (b"0\r\n\r\n" if is_chunked else b""))

    leading_to(listen(speak), settings)
    # The service sends the rest only when the program has received the beginning.
    answer = program.get("orders", arrived=lambda exchange: exchange.answer.body and more.set())
    assert answer.pieces[0] == b"data: 1\n\n"
    assert answer.body == b"data: 1\n\n" + b"x" * 99_991
    assert answer.broke_off is False


def _slowly(*parts: bytes, seconds: float = 0.3) -> Callable[[socket.socket], None]:
    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        for part in parts:
            sock.sendall(part)
            time.sleep(seconds)
        time.sleep(1)

    return speak


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 200 OK\r\n"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"ab"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", *[b"a"] * 9],
        [b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 9, b"\r\n"],
    ],
)
def test_a_service_that_dawdles_is_given_up(listen, settings, program, keyed, parts):
    """The sentence tells the time that the service really had."""
    settings.PROXY_SECONDS = 0.6
    leading_to(listen(_slowly(*parts)), settings)
    began = time.monotonic()
    answer = program.get("orders")
    if answer.status == 200 and program.differs("a short response that comes in pieces"):
        assert answer.broke_off
    else:
        assert (answer.status, answer.problem) == (504, "service-timeout")
        if not program.differs("why a service cannot be reached"):
            assert "did not answer within 0.6 s." in answer.json()["detail"]
    # Each piece of a head begins nginx's time limit again.
    assert time.monotonic() - began < (6 if program.differs("the time limit for the head") else 2)
    assert program.logged()["problem"] == "service-timeout"


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_what_was_late_is_not_sent_twice(listen, settings, program, keyed, method):
    settings.PROXY_SECONDS = 0.3
    listener = listen(_slowly())
    leading_to(listener, settings)
    assert program.call(method, "orders").status == 504
    assert listener.connections == 1
