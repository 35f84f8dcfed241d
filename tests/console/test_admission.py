"""Admission control, before an application that a test makes up."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from connectors.addresses import Place
from connectors.bulkhead import bulkhead, shares_of
from connectors.errors import ConsoleBusy, ServiceBusy
from console import request_body
from console.admission import Admission
from console.keys.checking import Holder
from console.shares import count_for

RUN = "/api/v1/functions/find/run"
SERVICE = Place(scheme="https", host="api.example", port=443, authority="api.example")


def enter(application: Any, path: str, method: str = "GET", **more: Any) -> tuple[int, dict, bytes]:
    """Ask for a path, and take the answer as a server does."""
    told: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "wsgi.input": io.BytesIO(),
        **more,
    }
    answer = Admission(application)(environ, lambda *head: told.append(head))
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return int(told[0][0].split()[0]), dict(told[0][1]), body


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


class Body:
    """What a sender has sent so far; reading waits for the rest of it."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces, self.goes_on = list(pieces), threading.Event()

    def read(self, size: int) -> bytes:
        if not self.pieces:
            self.goes_on.wait(10)
            return b""
        return self.pieces.pop(0)


@pytest.fixture
def slow(monkeypatch) -> Callable[..., Body]:
    """Give a function that makes bodies which never come to their end; they do at last."""
    monkeypatch.setattr(request_body, "SECONDS", 0.6)
    made: list[Body] = []

    def make(*pieces: bytes) -> Body:
        made.append(Body(*pieces))
        return made[-1]

    yield make
    for body in made:
        body.goes_on.set()
    deadline = time.monotonic() + 5
    while bulkhead.under_way("readers") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert bulkhead.under_way("readers") == 0


def holding(inside: threading.Event, over: threading.Event) -> Any:
    """An application that holds its thread until the test has seen enough."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        inside.set()
        over.wait(10)
        return echo(environ, start_response)

    return application


def test_programs_leave_threads_to_pages(settings):
    settings.CALLS_AT_ONCE = 1
    inside, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=enter, args=(holding(inside, over), RUN))
    thread.start()
    assert inside.wait(5)
    status, headers, body = enter(echo, RUN)
    assert (status, headers["Content-Type"]) == (503, "application/problem+json")
    assert headers["Console-Problem"] == "console-busy"
    assert 2 <= int(headers["Retry-After"]) <= 8
    assert json.loads(body)["status"] == 503
    assert enter(echo, "/healthz")[0] == 200
    over.set()
    thread.join()
    assert enter(echo, RUN)[0] == 200


def test_a_stream_counts_until_it_is_closed(settings):
    settings.CALLS_AT_ONCE = 1

    def streams(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        assert bulkhead.under_way("programs") == 1
        yield b"b"

    assert enter(streams, RUN)[::2] == (200, b"ab")
    assert bulkhead.under_way("programs") == 0


def test_what_fails_counts_no_more():
    def fails(environ, start_response):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        enter(fails, RUN)
    assert bulkhead.under_way("programs") == 0


def test_one_key_leaves_something_to_the_next(settings):
    settings.CALLS_AT_ONCE_PER_KEY = 1
    one, other = (
        Holder(key_id=key, prefix="", application_id=key, organization_id=key, environment="stage")
        for key in ("one", "other")
    )
    taken: list[str] = []

    def application(environ, start_response):
        count_for(one, environ)
        count_for(other, environ)
        taken.append("both")
        with pytest.raises(ConsoleBusy, match="Nothing was sent"):
            count_for(one, environ)
        return echo(environ, start_response)

    for _ in range(2):
        assert enter(application, RUN)[0] == 200
    assert taken == ["both", "both"]


def test_one_session_leaves_something_to_the_next(settings):
    settings.CALLS_AT_ONCE_OF_PEOPLE = 4
    cookie = settings.SESSION_COOKIE_NAME

    def calls(number: int) -> Any:
        def application(environ, start_response):
            shares = shares_of(SERVICE, "Orders")
            for _ in range(number):
                bulkhead.enter(*shares)
            try:
                with pytest.raises(ConsoleBusy):
                    bulkhead.enter(*shares)
                # What it asks of a token endpoint is counted apart.
                grants = shares_of(SERVICE, "Orders", grants=True)
                bulkhead.enter(*grants)
                bulkhead.leave(*grants)
                if environ["PATH_INFO"] == "/run":
                    enter(calls(2), "/other", HTTP_COOKIE=f"{cookie}=other; theme=dark")
            finally:
                for _ in range(number):
                    bulkhead.leave(*shares)
            return echo(environ, start_response)

        return application

    assert enter(calls(2), "/run", HTTP_COOKIE=f"a=b; {cookie}=one")[0] == 200


def test_one_service_leaves_something_to_the_next(settings):
    settings.PROXY_CALLS_AT_ONCE = 1
    shares = shares_of(SERVICE, "Orders")
    bulkhead.enter(*shares)
    with pytest.raises(ServiceBusy, match="calls to Orders") as caught:
        bulkhead.enter(*shares)
    assert not isinstance(caught.value, ConsoleBusy)
    assert 2 <= caught.value.retry_after <= 8
    bulkhead.leave(*shares)
    bulkhead.enter(*shares)
    bulkhead.leave(*shares)


# Bodies


@pytest.mark.parametrize("size", [1, 100_000, 2_000_000])
def test_a_body_arrives_whole(size):
    body = b"x" * size
    given = {"CONTENT_LENGTH": str(size), "wsgi.input": io.BytesIO(body)}
    assert enter(echo, "/import/", "POST", **given) == (200, {}, body)
    assert bulkhead.under_way("readers") == bulkhead.under_way("bodies") == 0


@pytest.mark.parametrize(
    ("path", "form"), [(RUN, "application/problem+json"), ("/x/", "text/plain; charset=utf-8")]
)
def test_nobody_waits_for_a_slow_body(slow, path, form):
    began = time.monotonic()
    status, headers, body = enter(
        echo, path, "POST", CONTENT_LENGTH="10", **{"wsgi.input": slow(b"x")}
    )
    assert (status, headers["Content-Type"]) == (408, form)
    assert b"came too slowly" in body
    assert time.monotonic() - began < 2
    # The thread that reads is there as long as the sender is, and nobody waits for it.
    assert (bulkhead.under_way("bodies"), bulkhead.under_way("readers")) == (0, 1)


@pytest.mark.parametrize(
    "limits", [{"BLOCKING_THREADS": 2}, {"BODIES_AT_ONCE": 2}], ids=["readers", "waiting"]
)
def test_one_address_leaves_something_to_others(slow, settings, limits):
    for name, value in limits.items():
        setattr(settings, name, value)
    slowly = {"CONTENT_LENGTH": "10"}
    first = threading.Thread(
        target=enter,
        args=(echo, "/x/", "POST"),
        kwargs=slowly | {"wsgi.input": slow()},
    )
    first.start()
    while not bulkhead.under_way("bodies"):
        time.sleep(0.01)
    status, headers, body = enter(echo, "/x/", "POST", **slowly, **{"wsgi.input": slow()})
    assert (status, b"Try again in a moment" in body) == (503, True)
    assert int(headers["Retry-After"]) >= 2
    quick = {"CONTENT_LENGTH": "2", "wsgi.input": io.BytesIO(b"ok")}
    assert enter(echo, "/x/", "POST", REMOTE_ADDR="192.0.2.8", **quick)[::2] == (200, b"ok")
    assert enter(echo, "/x/")[0] == 200
    first.join()


def test_a_body_that_breaks_off_reaches_no_view():
    given = {"CONTENT_LENGTH": "10", "wsgi.input": io.BytesIO(b"x")}
    assert enter(pytest.fail, "/x/", "POST", **given)[0] == 400


@pytest.mark.parametrize("path", [RUN, "/x/"])
def test_a_body_in_chunks_reaches_no_view(path):
    given = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": io.BytesIO(b"x")}
    assert enter(pytest.fail, path, "POST", **given)[0] == 411


def test_a_body_that_no_page_takes_is_not_read():
    given = {"CONTENT_LENGTH": str(request_body.MOST_BYTES + 1), "wsgi.input": None}
    assert enter(pytest.fail, "/x/", "POST", **given)[0] == 413


def test_the_body_of_a_call_is_left_to_the_door():
    body = io.BytesIO(b"ok")
    given = {"CONTENT_LENGTH": "2", "wsgi.input": body}
    answered = enter(
        lambda environ, start: start("200 OK", []) or [str(environ["wsgi.input"] is body).encode()],
        "/api/v1/connections/orders/proxy/x",
        "POST",
        **given,
    )
    assert answered[2] == b"True"


def test_the_shares_fit_the_threads(settings):
    """One after the other they leave threads to pages, whatever the number of threads is."""
    taken = settings.CALLS_AT_ONCE + 2 * settings.CALLS_AT_ONCE_OF_PEOPLE + settings.BODIES_AT_ONCE
    assert settings.BLOCKING_THREADS - taken >= 4
    assert 20 <= settings.PROXY_CALLS_AT_ONCE < settings.CALLS_AT_ONCE_PER_KEY
    assert settings.CALLS_AT_ONCE_PER_KEY < settings.CALLS_AT_ONCE
