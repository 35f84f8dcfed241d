"""The console is restarted, or its database is away, while calls run through nginx."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest
import requests

from tests.gateway.nginx_server import SECRET, Nginx, is_by_nginx, nginx
from tests.gateway.scripted_service import ScriptedService, scripted_service
from tests.security.served_console import Served, filled, served
from tests.servers import free_port, unavailable
from tests.setup import nginx_with_lua_is_there

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@contextmanager
def waiting(service: ScriptedService) -> Iterator[threading.Event]:
    """Let the service send half of a response, and the rest when it may go on."""
    go_on = threading.Event()

    def waits(sock, request):
        sock.sendall(EVENTS + b"5\r\nfirst\r\n")
        go_on.wait(60)
        sock.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

    service.answers["/api/waits"] = waits
    try:
        yield go_on
    finally:
        go_on.set()


def rest_of(pieces: Iterator[bytes]) -> bytes | None:
    """Return the rest of a response, or ``None`` if it was cut."""
    try:
        return b"".join(pieces)
    except requests.RequestException:
        return None


def until_it_works(url: str, headers: dict[str, str]) -> requests.Response:
    deadline = time.monotonic() + 10
    while True:
        answer = requests.get(url, headers=headers, timeout=10)
        if (answer.ok and is_by_nginx(answer)) or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with scripted_service() as running:
        yield running


@pytest.fixture(scope="module")
def console_with_key(service, tmp_path_factory) -> tuple[dict[str, str], str]:
    """The environment of a console that may be ended, and a key."""
    folder = tmp_path_factory.mktemp("console")
    return filled(folder, {"item": service.url}, GATEWAY_SECRET=SECRET)


@dataclass(frozen=True, kw_only=True)
class HalfSent:
    """Two responses of which half has been sent: one by nginx itself, one by the console."""

    console: Served
    proxy: Nginx
    headers: dict[str, str]
    by_nginx: Iterator[bytes]
    by_console: Iterator[bytes]
    go_on: threading.Event
    start_again: Callable[[], AbstractContextManager[Served]]


@pytest.fixture
def half_sent(console_with_key, service, tmp_path) -> Iterator[HalfSent]:
    if not nginx_with_lua_is_there():
        unavailable("nginx with Lua is not installed (make test-setup)")
    (environment, key), port = console_with_key, free_port()
    headers = {"Authorization": f"Bearer {key}"}
    service.forget()
    with (
        waiting(service) as go_on,
        served(environment, key, tmp_path, port=port) as console,
        nginx(tmp_path / "nginx", console.url) as proxy,
    ):
        url = proxy.address("item", "waits")
        own = requests.get(url, headers=headers, stream=True, timeout=30)
        # Only the console passes on a body in chunks.
        passed = requests.post(url, iter([b"x"]), headers=headers, stream=True, timeout=30)
        streams = [own.iter_content(5), passed.iter_content(5)]
        assert [next(each) for each in streams] == [b"first"] * 2
        assert [is_by_nginx(each) for each in (own, passed)] == [True, False]
        yield HalfSent(
            console=console,
            proxy=proxy,
            headers=headers,
            by_nginx=streams[0],
            by_console=streams[1],
            go_on=go_on,
            start_again=lambda: served(environment, key, tmp_path, port=port),
        )


def test_a_restart_of_the_console_never_makes_half_a_response_whole(half_sent, service):
    """nginx's own calls go on. Those of the console may break off, and programs see it."""
    console, proxy, headers = half_sent.console, half_sent.proxy, half_sent.headers
    for process in (console.worker, console.main):
        os.kill(process, signal.SIGTERM)
    time.sleep(1.5)
    url = proxy.address("item", "waits")
    refused = requests.post(url, iter([b"x"]), headers=headers, timeout=30)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")
    assert len(service.received) == 2
    with half_sent.start_again():
        assert until_it_works(proxy.address("item", "x"), headers).ok
        half_sent.go_on.set()
        assert b"".join(half_sent.by_nginx) == b"second"
        assert rest_of(half_sent.by_console) in {b"second", None}


def test_a_killed_console_cuts_its_own_calls_and_no_others(half_sent):
    """Nobody takes the first half of a response for the whole, and nothing hangs."""
    for process in (half_sent.console.worker, half_sent.console.main):
        os.kill(process, signal.SIGKILL)
    assert rest_of(half_sent.by_console) is None
    with half_sent.start_again():
        assert until_it_works(half_sent.proxy.address("item", "x"), half_sent.headers).ok
        half_sent.go_on.set()
        assert b"".join(half_sent.by_nginx) == b"second"


def test_while_the_database_is_away_nothing_is_sent_and_streams_go_on(paths):
    headers, url = paths.console.headers, paths.url("item", "/x")
    with waiting(paths.item) as go_on:
        stream = requests.get(paths.url("item", "/waits"), headers=headers, stream=True, timeout=30)
        pieces = stream.iter_content(5)
        assert next(pieces) == b"first" and is_by_nginx(stream)
        paths.console.rows("ALTER TABLE keys_apikey RENAME TO keys_away")
        try:
            time.sleep(1.1)  # a route is used for a second
            for method in ("GET", "POST"):
                answer = requests.request(method, url, headers=headers, timeout=30)
                assert answer.status_code == 503
                assert answer.headers["Console-Problem"] == "unavailable"
                assert answer.headers["Retry-After"]
            assert len(paths.item.received) == 1
            go_on.set()
            assert b"".join(pieces) == b"second"
        finally:
            paths.console.rows("ALTER TABLE keys_away RENAME TO keys_apikey")
    assert until_it_works(url, headers).ok
    assert [row[2:4] for row in paths.log() if row[1] == "/api/waits"][-1] == (200, "")
