"""AdmissionControl control, before an application that a test makes up."""

from __future__ import annotations

import io
import json
import threading
from typing import Any

import pytest

from connectors.errors import ConsoleBusy, ServiceBusy
from connectors.http.bulkhead import bulkhead, limits_for
from connectors.http.ssrf import Destination
from console.keys.authentication import KeyHolder
from console.runtime import request_body
from console.runtime.concurrency_limits import acquire_for_key
from console.runtime.problem_details import Problem
from console.server.admission import AdmissionControl

RUN = "/api/v1/functions/find/run"
SERVICE = Destination(scheme="https", host="api.example", port=443, authority="api.example")


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
    answer = AdmissionControl(application)(environ, lambda *head: told.append(head))
    try:
        body = b"".join(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    return int(told[0][0].split()[0]), dict(told[0][1]), body


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return [environ["wsgi.input"].read()]


def holding(inside: threading.Event, over: threading.Event) -> Any:
    """An application that holds its thread until the test has seen enough."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        inside.set()
        over.wait(10)
        return echo(environ, start_response)

    return application


def test_programs_leave_threads_to_pages(settings):
    settings.THREADS_OF_PROGRAMS = 1
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
    settings.THREADS_OF_PROGRAMS = 1

    def streams(environ, start_response):
        start_response("200 OK", [])
        yield b"a"
        assert bulkhead.in_progress("programs") == 1
        yield b"b"

    assert enter(streams, RUN)[::2] == (200, b"ab")
    assert bulkhead.in_progress("programs") == 0


def test_what_fails_counts_no_more():
    def fails(environ, start_response):
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        enter(fails, RUN)
    assert bulkhead.in_progress("programs") == 0


def test_one_key_leaves_something_to_the_next(settings):
    settings.THREADS_PER_KEY = 1
    one, other = (
        KeyHolder(
            key_id=key, prefix="", application_id=key, organization_id=key, environment="stage"
        )
        for key in ("one", "other")
    )
    taken: list[str] = []

    def application(environ, start_response):
        acquire_for_key(one, environ)
        acquire_for_key(other, environ)
        taken.append("both")
        with pytest.raises(ConsoleBusy, match="Nothing was sent"):
            acquire_for_key(one, environ)
        return echo(environ, start_response)

    for _ in range(2):
        assert enter(application, RUN)[0] == 200
    assert taken == ["both", "both"]


def test_one_session_leaves_something_to_the_next(settings):
    settings.THREADS_OF_PEOPLE = 4
    cookie = settings.SESSION_COOKIE_NAME

    def calls(number: int) -> Any:
        def application(environ, start_response):
            shares = limits_for(SERVICE, "Orders")
            for _ in range(number):
                bulkhead.enter(*shares)
            try:
                with pytest.raises(ConsoleBusy):
                    bulkhead.enter(*shares)
                # What it asks of a token endpoint is counted apart.
                grants = limits_for(SERVICE, "Orders", grants=True)
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
    settings.THREADS_PER_SERVICE = 1
    shares = limits_for(SERVICE, "Orders")
    bulkhead.enter(*shares)
    with pytest.raises(ServiceBusy, match="calls to Orders") as caught:
        bulkhead.enter(*shares)
    assert not isinstance(caught.value, ConsoleBusy)
    assert 2 <= caught.value.retry_after <= 8
    bulkhead.leave(*shares)
    bulkhead.enter(*shares)
    bulkhead.leave(*shares)


@pytest.mark.parametrize(
    ("path", "form"), [(RUN, "application/problem+json"), ("/x/", "text/plain; charset=utf-8")]
)
def test_a_body_that_was_refused_reaches_no_view(path, form):
    refused = {request_body.BODY_PROBLEM: Problem("request-timeout")}
    status, headers, body = enter(pytest.fail, path, "POST", **refused)
    assert (status, headers["Content-Type"]) == (408, form)
    assert b"took too long to arrive" in body


def test_the_shares_fit_the_threads(settings):
    """One after the other they leave threads to pages, whatever the number of threads is."""
    taken = settings.THREADS_OF_PROGRAMS + 2 * settings.THREADS_OF_PEOPLE
    assert settings.WEB_THREADS - taken >= 4
    assert 20 <= settings.THREADS_PER_SERVICE < settings.THREADS_PER_KEY
    assert settings.THREADS_PER_KEY < settings.THREADS_OF_PROGRAMS
