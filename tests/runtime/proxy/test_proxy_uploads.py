"""Bodies on their way to a service: whole, or never completed (RFC 9112 sections 6.3 and 8)."""

from __future__ import annotations

import io
import queue
import socket

import pytest

from console.runtime.proxy_app import REPLAYED_BYTES
from console.runtime.request_body import REPORTS_BROKEN_BODY
from tests.runtime.proxy.program import OK, ask, leading_to

CONTACTS = "/api/v1/connections/orders/proxy/contacts"


class BreakingOff(io.BytesIO):
    """A body whose sender goes away after five bytes."""

    def read(self, size: int | None = -1) -> bytes:
        if self.tell():
            raise OSError
        self.seek(5)
        return b"hello"


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


def in_chunks(size: int, **more: object) -> dict[str, object]:
    return {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"x" * size), **more}


@pytest.mark.parametrize("size", [0, 5, REPLAYED_BYTES + 5])
def test_a_body_in_chunks_is_sent_whole_and_with_its_length(upstream, program, keyed, size):
    environ = program.environ("PUT", CONTACTS, **in_chunks(size, **{REPORTS_BROKEN_BODY: True}))
    assert ask(environ).status == 200
    assert upstream.only.body == b"x" * size
    assert upstream.only.all("Content-Length") == [str(size)]
    assert upstream.only.all("Transfer-Encoding") == []


def test_a_body_in_chunks_that_breaks_off_is_not_sent(upstream, program, keyed):
    environ = program.environ("PUT", CONTACTS, **in_chunks(5, **{REPORTS_BROKEN_BODY: True}))
    environ["wsgi.input"] = BreakingOff()
    answer = ask(environ)
    assert (answer.status, answer.problem) == (400, "request-invalid")
    assert "broke off before its end" in answer.json()["detail"]
    assert upstream.asked == []


def test_a_body_in_chunks_that_is_too_large(upstream, program, keyed, settings):
    settings.PROXY_MAX_REQUEST_BYTES = 10
    environ = program.environ("PUT", CONTACTS, **in_chunks(11, **{REPORTS_BROKEN_BODY: True}))
    assert ask(environ).problem == "request-too-large"
    assert upstream.asked == []


@pytest.mark.parametrize("coding", ["chunked", "gzip, chunked", "Chunked"])
def test_a_server_that_tells_no_break_takes_no_chunks(upstream, program, keyed, coding):
    """Under WSGI granian ends a body whose sender went away like one that is whole."""
    environ = program.environ("PUT", CONTACTS, **in_chunks(5, HTTP_TRANSFER_ENCODING=coding))
    answer = ask(environ)
    assert (answer.status, answer.problem) == (411, "length-required")
    assert "Send Content-Length" in answer.json()["detail"]
    assert upstream.asked == []


def test_a_body_of_http_2_needs_no_header(upstream, program, keyed):
    h2 = {"SERVER_PROTOCOL": "HTTP/2", "wsgi.input": io.BytesIO(b"x")}
    assert ask(program.environ("PUT", CONTACTS, **h2)).problem == "length-required"
    assert upstream.asked == []
    h2 = {"SERVER_PROTOCOL": "HTTP/2", "wsgi.input": io.BytesIO(b"x"), REPORTS_BROKEN_BODY: True}
    assert ask(program.environ("PUT", CONTACTS, **h2)).status == 200
    assert upstream.only.body == b"x"
    assert ask(program.environ("GET", CONTACTS, SERVER_PROTOCOL="HTTP/2")).status == 200


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
    answer = ask(
        program.environ(
            "POST",
            CONTACTS,
            CONTENT_LENGTH="100",
            **{"wsgi.input": io.BytesIO(b"x" * there)},
        )
    )
    assert (answer.status, answer.problem) == (400, "request-invalid")
    assert listener.connections == 0


def test_a_large_body_that_breaks_off_is_never_completed(swallow, program, keyed):
    length, there = 3 * REPLAYED_BYTES, 2 * REPLAYED_BYTES
    answer = ask(
        program.environ(
            "PUT",
            CONTACTS,
            CONTENT_LENGTH=str(length),
            **{"wsgi.input": io.BytesIO(b"x" * there)},
        )
    )
    assert (answer.status, answer.problem) == (400, "request-invalid")
    head, _, body = swallow.get(timeout=10).partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % length in head
    assert len(body) == there


@pytest.mark.parametrize("length", ["-1", "1e3", "x", "1, 1", "٣"])
def test_a_length_that_is_none_is_refused(upstream, program, keyed, length):
    assert ask(program.environ("POST", CONTACTS, CONTENT_LENGTH=length)).problem == (
        "request-invalid"
    )
    assert upstream.asked == []


@pytest.mark.parametrize("asked", ["websocket", "WebSocket", "h2c, websocket"])
def test_a_websocket_is_not_made_a_plain_get(upstream, program, keyed, asked):
    answer = program.get("orders", headers={"Upgrade": asked, "Connection": "Upgrade"})
    assert (answer.status, answer.problem) == (501, "upgrade-not-supported")
    assert upstream.asked == []


def test_another_upgrade_is_ignored(upstream, program, keyed):
    """A server may (RFC 9110 section 7.8), and some clients always offer HTTP/2."""
    answer = program.get("orders", headers={"Upgrade": "h2c", "Connection": "Upgrade"})
    assert answer.status == 200
    assert upstream.only.all("Upgrade") == []
