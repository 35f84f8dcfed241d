"""Bodies of requests, awaited on the event loop before a thread takes the request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from connectors.http.bulkhead import bulkhead
from console.runtime import request_body
from console.runtime.request_body import BODY_PROBLEM
from console.server.body_buffer import receive_body

PAGE = "/apps/"


def environ_of(path: str = PAGE, **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        **more,
    }


def coming(*pieces: bytes, ends: bool = True) -> Callable[[], Awaitable[dict[str, Any]]]:
    """A body that comes in pieces, and then ends, or stays away."""
    left = list(pieces)

    async def receive() -> dict[str, Any]:
        if left:
            return {
                "type": "http.request",
                "body": left.pop(0),
                "more_body": bool(left or not ends),
            }
        await asyncio.sleep(30)
        raise AssertionError("nobody waits so long")

    return receive


def received(environ: dict[str, Any], receive: Any) -> dict[str, Any]:
    asyncio.run(receive_body(environ, receive))
    assert bulkhead.in_progress("readers") == 0
    return environ


@pytest.fixture
def impatient(monkeypatch) -> None:
    monkeypatch.setattr(request_body, "SECONDS", 0.2)


@pytest.mark.parametrize("size", [0, 1, 100_000, 2_000_000])
@pytest.mark.parametrize("head", ["CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"])
def test_a_page_gets_the_whole_body_and_its_length(size, head):
    body = b"x" * size
    said = {head: str(size) if head == "CONTENT_LENGTH" else "chunked"}
    environ = received(
        environ_of(**said),
        coming(*[body[at : at + 65_536] for at in range(0, size, 65_536)] or [b""]),
    )
    with environ["wsgi.input"] as file:
        assert file.read() == body
    assert environ["CONTENT_LENGTH"] == str(size)
    assert "HTTP_TRANSFER_ENCODING" not in environ


@pytest.mark.parametrize(
    "said", [{"CONTENT_LENGTH": "99999999"}, {"HTTP_TRANSFER_ENCODING": "chunked"}]
)
def test_a_page_takes_no_body_that_is_too_large(monkeypatch, said):
    monkeypatch.setattr("console.server.body_buffer.MOST_BYTES", 100)
    environ = received(environ_of(**said), coming(b"x" * 101, ends=False))
    assert environ[BODY_PROBLEM].type.slug == "request-too-large"


def test_nobody_waits_for_a_slow_body(impatient):
    environ = received(environ_of(CONTENT_LENGTH="10"), coming(b"x", ends=False))
    assert environ[BODY_PROBLEM].type.slug == "request-timeout"
    assert environ["wsgi.input"].read() == b""


def test_a_body_that_breaks_off_is_none():
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    environ = received(environ_of(CONTENT_LENGTH="10"), gone)
    assert environ[BODY_PROBLEM].type.slug == "request-invalid"
    assert environ["wsgi.input"].read() == b""


def test_a_length_that_is_none_is_refused():
    environ = received(environ_of(CONTENT_LENGTH="1e3"), coming(b"x"))
    assert environ[BODY_PROBLEM].type.slug == "request-invalid"


def test_one_address_leaves_something_to_others(settings):
    settings.WEB_THREADS = 2

    async def both() -> dict[str, Any]:
        slow = asyncio.create_task(
            receive_body(environ_of(CONTENT_LENGTH="10"), coming(b"x", ends=False))
        )
        await asyncio.sleep(0)
        refused = environ_of(CONTENT_LENGTH="1")
        await receive_body(refused, coming(b"x"))
        other = environ_of(CONTENT_LENGTH="1", REMOTE_ADDR="192.0.2.8")
        await receive_body(other, coming(b"x"))
        slow.cancel()
        assert other["wsgi.input"].read() == b"x"
        other["wsgi.input"].close()
        return refused

    problem = asyncio.run(both())[BODY_PROBLEM]
    assert problem.type.slug == "console-busy"
    assert int(problem.headers["Retry-After"]) >= 2
    assert bulkhead.in_progress("readers") == 0
