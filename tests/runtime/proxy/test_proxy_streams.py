"""Bodies of any size and speed, over kept connections (security.md X13 to X17, X20)."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors import holding
from connectors.registry import get_connectors
from connectors.relaying import PIECE
from console.invocations import recording
from console.runtime.door import REPLAYED_BYTES, Door
from tests.runtime.proxy.visiting import _django, ask

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def speaking(
    answer: bytes, asked: list[bytes] | None = None, times: int = 1
) -> Callable[[socket.socket], None]:
    """Read a request's head, remember it, answer; as often as ``times`` over one connection."""

    def speak(sock: socket.socket) -> None:
        for _ in range(times):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := sock.recv(65536)):
                    return
                head += piece
            if asked is not None:
                asked.append(head)
            sock.sendall(answer)

    return speak


def leading_to(listener: Any, settings: Any) -> None:
    """Let a listener be the sandbox of the catalogue."""
    settings.SANDBOX_URL = f"http://127.0.0.1:{listener.port}"
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]
    get_connectors.cache_clear()


@pytest.fixture
def serve(listen, settings) -> Iterator[Callable[..., Any]]:
    """Give a function that makes a raw server the service of the connections."""

    def start(answer: bytes, asked: list[bytes] | None = None, times: int = 1) -> Any:
        listener = listen(speaking(answer, asked, times))
        leading_to(listener, settings)
        return listener

    yield start
    get_connectors.cache_clear()


@pytest.fixture
def pieces(program) -> Callable[..., Any]:
    """Give a function that calls and returns the head and the iterable, not read yet."""

    def begin(path: str = "/contacts") -> tuple[int, dict[str, str], Any]:
        told: list[Any] = []
        environ = program.environ("GET", f"/api/v1/connections/orders/proxy{path}")
        answer = Door(_django)(environ, lambda *head: told.append(head))
        return int(told[0][0].split()[0]), dict(told[0][1]), answer

    return begin


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


def _closing_silently(asked: list[bytes]) -> Callable[[socket.socket], None]:
    """Answer the first request of a connection, and hang up on the second."""

    def speak(sock: socket.socket) -> None:
        asked.append(sock.recv(65536))
        sock.sendall(OK)
        asked.append(sock.recv(65536))

    return speak


@pytest.mark.parametrize(("method", "status", "times"), [("GET", 200, 3), ("POST", 502, 2)])
def test_only_what_may_be_sent_twice_is_sent_again(
    listen, settings, program, keyed, method, status, times
):
    asked: list[bytes] = []
    leading_to(listen(_closing_silently(asked)), settings)
    assert program.call(method, "orders").status == 200
    assert program.call(method, "orders").status == status
    assert len([each for each in asked if each]) == times


def test_a_chunked_answer_comes_back_whole(serve, program, keyed):
    serve(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    answer = program.get("orders")
    assert (answer.body, answer.all("Content-Length")) == (b"abcde", ["5"])
    assert answer.all("Transfer-Encoding") == []


def test_chunks_count_where_a_length_is_announced_as_well(serve, program, keyed):
    serve(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n"
    )
    answer = program.get("orders")
    assert (answer.status, answer.body) == (200, b"abc")
    assert answer.all("Content-Length") == ["3"]


def test_what_comes_before_the_answer_is_left_out(serve, program, keyed):
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
    listener = serve(b"HTTP/1.1 100 Continue\r\n\r\n" + early + OK, times=2)
    for _ in range(2):
        answer = program.get("orders")
        assert (answer.status, answer.body, answer.all("Link")) == (200, b"ok", [])
    assert listener.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        OK + OK,  # what could be taken for the next answer
        OK + b"x",
        b"HTTP/1.1 204 No Content\r\n\r\nbody",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        # Two ways to say where it ends (RFC 9112 section 6.3)
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_a_connection_that_carries_more_than_it_may_is_not_used_again(
    serve, program, keyed, answer
):
    listener = serve(answer, times=2)
    for _ in range(2):
        assert program.get("orders").body in {b"ok", b""}
    assert listener.connections == 2


def test_a_line_may_end_without_cr(serve, program, keyed):
    serve(b"HTTP/1.1 200 OK\nContent-Length: 2\nX-Said: yes\n\nok")
    answer = program.get("orders")
    assert (answer.body, answer.all("X-Said")) == (b"ok", ["yes"])


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 099 OK\r\n\r\n",
        # A folded line could be read as two (RFC 9112 section 5.2 lets a gateway refuse it).
        b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_what_is_no_answer_is_a_problem_and_not_a_failure(serve, program, keyed, answer):
    serve(answer)
    answered = program.get("orders")
    assert answered.status == 502
    assert answered.problem in {"service-unreachable", "answer-unintelligible"}


def test_to_a_head_only_the_head_comes(serve, program, keyed):
    serve(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n", times=2)
    for _ in range(2):
        answer = program.call("HEAD", "orders")
        assert (answer.status, answer.body) == (200, b"")
        assert answer.all("Content-Length") == ["12345"]


def test_a_large_answer_is_not_held(serve, pieces, keyed):
    size = 20 * PIECE
    serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
    status, headers, answer = pieces()
    assert (status, headers["Content-Length"]) == (200, str(size))
    sizes = [len(piece) for piece in answer]
    assert sum(sizes) == size
    assert max(sizes) <= PIECE


def test_an_announced_answer_that_is_too_large(serve, program, keyed, settings):
    settings.PROXY_MAX_ANSWER_BYTES = 1000
    serve(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (502, "answer-too-large")


def test_an_endless_answer_is_cut(serve, pieces, keyed, settings):
    settings.PROXY_MAX_ANSWER_BYTES = READ_AHEAD + PIECE
    serve(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (READ_AHEAD + 20 * PIECE))
    status, _, answer = pieces()
    assert status == 200
    with pytest.raises(Exception, match="larger than"):
        b"".join(answer)
    assert recording.writer._rows[-1]["problem"] == "answer-too-large"


def test_events_are_passed_on_as_they_come(listen, settings, pieces, keyed):
    more = threading.Event()

    def speak(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n")
        more.wait(10)
        sock.sendall(b"data: 2\n\n")

    leading_to(listen(speak), settings)
    _, _, answer = pieces()
    events = iter(answer)
    assert next(events) == b"data: 1\n\n"
    more.set()
    assert next(events) == b"data: 2\n\n"
    assert list(events) == []


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
    settings.PROXY_SECONDS = 0.6
    leading_to(listen(_slowly(*parts)), settings)
    began = time.monotonic()
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (504, "service-timeout")
    assert time.monotonic() - began < 2
    assert recording.writer._rows[-1]["problem"] == "service-timeout"


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_what_was_late_is_not_sent_twice(listen, settings, program, keyed, method):
    settings.PROXY_SECONDS = 0.3
    listener = listen(_slowly())
    leading_to(listener, settings)
    assert program.call(method, "orders").status == 504
    assert listener.connections == 1


def test_who_goes_away_frees_the_connection(serve, pieces, keyed):
    serve(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * PIECE) + b"x" * 20 * PIECE)
    _, _, answer = pieces()
    next(iter(answer))
    answer.close()
    assert recording.writer._rows[-1]["problem"] == "caller-gone"
    (origin,) = holding._origins.values()
    assert (origin._under_way, len(origin._idle)) == (0, 0)


def test_a_small_body_is_sent_with_its_length(upstream, program, keyed):
    program.call("POST", "orders", body=b"x" * 1000)
    assert upstream.only.all("Content-Length") == ["1000"]
    assert upstream.only.body == b"x" * 1000


def test_a_large_body_is_sent_as_it_comes(upstream, program, keyed):
    body = b"0123456789" * (REPLAYED_BYTES // 5)
    assert program.call("POST", "orders", body=body).status == 200
    assert upstream.only.body == body
    assert upstream.only.all("Content-Length") == [str(len(body))]


def test_a_body_without_a_length_is_sent_in_chunks(listen, settings, program, keyed):
    asked: list[bytes] = []

    def speak(sock: socket.socket) -> None:
        body = b""
        while not body.endswith(b"0\r\n\r\n"):
            body += sock.recv(65536)
        asked.append(body)
        sock.sendall(OK)

    leading_to(listen(speak), settings)
    environ = program.environ(
        "POST",
        "/api/v1/connections/orders/proxy/contacts",
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input": io.BytesIO(b"x" * (REPLAYED_BYTES + 5))},
    )
    assert ask(environ).status == 200
    assert b"Transfer-Encoding: chunked\r\n" in asked[0]
    assert asked[0].count(b"x") > REPLAYED_BYTES


@pytest.mark.parametrize("said", [True, False])
def test_a_request_that_is_too_large(listen, program, keyed, settings, said):
    def swallow(sock: socket.socket) -> None:
        while sock.recv(65536):
            pass

    settings.PROXY_MAX_REQUEST_BYTES = REPLAYED_BYTES + 10
    listener = listen(swallow)
    leading_to(listener, settings)
    body = b"x" * (REPLAYED_BYTES + 200_000)
    if said:
        answer = program.call("POST", "orders", body=body)
        assert listener.connections == 0
    else:
        answer = ask(
            program.environ(
                "POST",
                "/api/v1/connections/orders/proxy/contacts",
                HTTP_TRANSFER_ENCODING="chunked",
                **{"wsgi.input": io.BytesIO(body)},
            )
        )
    assert (answer.status, answer.problem) == (413, "request-too-large")


def test_a_body_that_breaks_off_is_not_sent_as_if_it_were_whole(serve, program, keyed):
    listener = serve(OK)
    answer = ask(
        program.environ(
            "POST",
            "/api/v1/connections/orders/proxy/contacts",
            CONTENT_LENGTH="100",
            **{"wsgi.input": io.BytesIO(b"x" * 50)},
        )
    )
    assert (answer.status, answer.problem) == (400, "request-invalid")
    assert listener.connections == 0


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "1, 1", "٣"])
def test_a_length_that_is_none_is_refused(upstream, program, keyed, length):
    environ = program.environ(
        "POST", "/api/v1/connections/orders/proxy/contacts", CONTENT_LENGTH=length
    )
    assert ask(environ).problem == "request-invalid"
    assert upstream.asked == []
