"""Admission control: which requests get a thread, decided before anything else.

Calls by programs, and calls that people make from pages, have limits
(``concurrency_limits.py``). The remaining threads answer pages and ``/healthz``. A request over
its limit is refused at once, with ``Retry-After``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connectors.errors import ServiceBusy
from connectors.http.bulkhead import ConcurrencyLimit, caller_limits
from console.monitoring.request_ids import HEADER, begin
from console.runtime.concurrency_limits import RequestPermits, page_call_limits, program_limit
from console.runtime.problem_details import Problem, problem_of, status_line
from console.runtime.request_body import BODY_PROBLEM
from console.server.threaded_wsgi import WSGI

API = "/api/v1/"


class AdmissionControl:
    """WSGI middleware that refuses requests over their concurrency limits."""

    def __init__(self, application: WSGI) -> None:
        self.application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        permits = RequestPermits(environ)
        try:
            body = self._respond(permits, environ, start_response)
        except BaseException:
            permits.release()
            raise
        if isinstance(body, list):
            permits.release()
            return body
        return _PermittedBody(body, permits)

    def _respond(
        self, permits: RequestPermits, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        limits: tuple[ConcurrencyLimit, ...] = ()
        try:
            if path.startswith(API):
                permits.acquire(program_limit())
            else:
                limits = page_call_limits(environ)
            if problem := environ.get(BODY_PROBLEM):
                raise problem
        except (Problem, ServiceBusy) as error:
            return _refusal(problem_of(error, begin(environ)), path, environ, start_response)
        with caller_limits(*limits):
            return self.application(environ, start_response)


class _PermittedBody:
    """A response body that holds its permits until the server closes it."""

    def __init__(self, body: Iterable[bytes], permits: RequestPermits) -> None:
        self._body, self._permits = body, permits

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            if hasattr(self._body, "close"):
                self._body.close()
        finally:
            self._permits.release()


def _refusal(
    problem: Problem, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    """Answer a program with a problem document, and a person with plain text."""
    headers, body = dict(problem.headers), problem.body
    if not path.startswith(API):
        headers["Content-Type"] = "text/plain; charset=utf-8"
        body = f"{problem.type.title}. {problem.detail}\n".encode()
    headers |= {"Content-Length": str(len(body)), HEADER: begin(environ)}
    start_response(status_line(problem.status), list(headers.items()))
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
