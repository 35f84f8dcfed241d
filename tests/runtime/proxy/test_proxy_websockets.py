"""WebSockets through a connection, behind the server that runs the console (RFC 6455)."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve
from websockets.utils import accept_key

from connectors.http.bulkhead import bulkhead
from console.invocations import log_writer
from tests.invocations.lines import fields_of
from tests.runtime.proxy.program import leading_to
from tests.runtime.served_in_process import served_in_process

pytestmark = pytest.mark.django_db(transaction=True)


class Speaker:
    """A WebSocket service: what it is sent, and how it answers."""

    def __init__(self) -> None:
        self.port = 0
        self.headers: list[Any] = []
        self.closed_with: list[int | None] = []
        self.speak: Callable[[ServerConnection], None] = _echo
        self.status = 101

    def handle(self, socket: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            self.speak(socket)
        self.closed_with.append(socket.close_code)

    def judge(self, socket: ServerConnection, request: Any) -> Any:
        self.headers.append(request.headers)
        if self.status != 101:
            return socket.respond(self.status, "Not for you.")
        return None


def _echo(socket: ServerConnection) -> None:
    for message in socket:
        socket.send(message)


@pytest.fixture
def speaker(settings) -> Iterator[Speaker]:
    speaker = Speaker()
    server = serve(
        speaker.handle,
        "127.0.0.1",
        0,
        process_request=speaker.judge,
        select_subprotocol=lambda _, offered: offered[-1] if offered else None,
    )
    speaker.port = server.socket.getsockname()[1]
    leading_to(speaker, settings)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield speaker
    server.shutdown()
    thread.join()


@pytest.fixture
def dial(speaker, keyed, key_of, data_path) -> Iterator[Callable[..., ClientConnection]]:
    """Give a function that opens a WebSocket through the connection ``orders``."""
    key = key_of()

    with ExitStack() as stack:
        if data_path.name == "nginx":  # which passes WebSockets on to the console
            url = stack.enter_context(data_path.with_threads(8)).nginx.url
        else:
            url = stack.enter_context(served_in_process())

        def open_one(path: str = "/stream?a=1", key: str = key, **more: Any) -> ClientConnection:
            address = url.replace("http://", "ws://") + f"/api/v1/connections/orders/proxy{path}"
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            return connect(address, additional_headers=headers, compression=None, **more)

        yield open_one
    deadline = time.monotonic() + 5
    while bulkhead.in_progress("proxied") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert bulkhead.in_progress("proxied") == 0


def logged() -> dict[str, Any]:
    """Return the line of the call, which is written after the program has been answered."""
    deadline = time.monotonic() + 5
    while not log_writer.writer._rows and time.monotonic() < deadline:
        time.sleep(0.02)
    return fields_of(log_writer.writer._rows[-1])


def test_messages_are_passed_on_in_both_directions(dial, speaker):
    with dial() as socket:
        for message in ("hello", b"\x00\xff", "", "x" * 200_000, "ключ"):
            socket.send(message)
            assert socket.recv(5) == message
    row = logged()
    assert (row["status"], row["problem"], row["method"]) == (101, "", "GET")
    assert row["bytes_in"] == row["bytes_out"] > 200_000
    assert row["path"] == "/key/api/stream"


def test_the_handshake_is_signed_and_filtered(dial, speaker):
    with dial(subprotocols=["v2", "v1"]) as socket:
        assert socket.subprotocol == "v1"
    [headers] = speaker.headers
    assert headers["X-Api-Key"] == "the-key-of-alice"
    assert "Authorization" not in headers
    assert "CDN-Loop" in headers


def test_nothing_else_of_the_handshake_comes_back(dial, speaker):
    """granian sends no headers of ours with the status 101: the developer's guide says so."""
    with dial(subprotocols=["v1"]) as socket:
        names = {name.lower() for name, _ in socket.response.headers.raw_items()}
    assert names <= {
        "connection", "date", "sec-websocket-accept", "sec-websocket-protocol", "server", "upgrade",
    }  # fmt: skip


def test_the_program_closes(dial, speaker):
    with dial() as socket:
        socket.close(4001, "enough")
    deadline = time.monotonic() + 5
    while not speaker.closed_with and time.monotonic() < deadline:
        time.sleep(0.02)
    assert speaker.closed_with == [4001]


def test_the_service_closes(dial, speaker):
    speaker.speak = lambda socket: socket.close(4002, "that is all")
    with dial() as socket, pytest.raises(ConnectionClosed) as caught:
        socket.recv(5)
    assert caught.value.rcvd.code == 4002
    assert logged()["problem"] == ""


def test_a_service_may_close_at_once(dial, settings, listen):
    """The handshake, a message and the end arrive together."""

    def speak(sock: socket.socket) -> None:
        key = re.search(rb"Sec-WebSocket-Key: (\S+)", sock.recv(65536))[1].decode()
        sock.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n\x81\x03one\x88\x02\x0f\xa2"
            % accept_key(key).encode()
        )
        sock.recv(65536)

    leading_to(listen(speak), settings)
    with dial() as connection:
        assert connection.recv(5) == "one"
        with pytest.raises(ConnectionClosed) as caught:
            connection.recv(5)
    assert caught.value.rcvd.code == 4002


def test_a_service_that_breaks_off_is_no_regular_end(dial, speaker):
    def break_off(socket: ServerConnection) -> None:
        socket.send("one")
        socket.socket.shutdown(2)

    speaker.speak = break_off
    with dial() as socket:
        assert socket.recv(5) == "one"
        with pytest.raises(ConnectionClosed) as caught:
            socket.recv(5)
    assert caught.value.rcvd.code == 1014
    assert logged()["problem"] == "service-unreachable"


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_a_refusal_of_the_service_is_passed_on(dial, speaker, status):
    speaker.status = status
    with pytest.raises(InvalidStatus) as caught:
        dial()
    response = caught.value.response
    assert response.status_code == status
    assert b"Not for you." in response.body
    assert "Console-Problem" not in response.headers
    assert logged()["status"] == status


@pytest.mark.parametrize("key", ["", "dc_dev_wrong"])
def test_without_a_key_nothing_is_sent(dial, speaker, key):
    with pytest.raises(InvalidStatus) as caught:
        dial(key=key)
    assert caught.value.response.status_code == 401
    assert caught.value.response.headers["Console-Problem"] == "key-refused"
    assert speaker.headers == []


def test_a_path_outside_the_api_is_refused(dial, speaker):
    with pytest.raises(InvalidStatus) as caught:
        dial("/a%2f..%2fx")
    assert caught.value.response.headers["Console-Problem"] == "path-refused"
    assert speaker.headers == []


def test_a_service_that_is_not_there(dial, speaker, settings, listen):
    listener = listen()
    leading_to(listener, settings)
    with pytest.raises(InvalidStatus) as caught:
        dial()
    assert caught.value.response.headers["Console-Problem"] == "service-unreachable"


def test_an_answer_that_is_no_websocket(dial, speaker, settings, listen):
    leading_to(listen(lambda sock: (sock.recv(65536), sock.sendall(b"SSH-2.0\r\n"))), settings)
    with pytest.raises(InvalidStatus) as caught:
        dial()
    assert caught.value.response.headers["Console-Problem"] in {
        "answer-unintelligible",
        "service-unreachable",
    }
