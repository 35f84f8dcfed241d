"""Admission control: which request gets a thread, before anything else looks at it.

Calls of programs, and calls that people make from pages, have shares of the threads
(``thread_shares.py``). What is left answers pages and ``/healthz``, whatever else waits. A request
beyond its share is refused at once, with a ``Retry-After``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connectors.errors import ServiceBusy
from connectors.http.bulkhead import ConcurrencyLimit, caller_limits
from console.monitoring.request_ids import HEADER, begin
from console.runtime.error_to_problem import problem_of
from console.runtime.problem_details import Problem, status_line
from console.runtime.proxy_app import WSGI
from console.runtime.request_body import REFUSED
from console.runtime.thread_shares import Ticket, of_people, of_programs

API = "/api/v1/"


class Admission:
    """Let requests in to a WSGI application as long as there are threads for them."""

    def __init__(self, application: WSGI) -> None:
        self.application = application

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        ticket = Ticket(environ)
        try:
            answer = self._answer(ticket, environ, start_response)
        except BaseException:
            ticket.end()
            raise
        if isinstance(answer, list):
            ticket.end()
            return answer
        return _Counted(answer, ticket)

    def _answer(
        self, ticket: Ticket, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        callers: tuple[ConcurrencyLimit, ...] = ()
        try:
            if path.startswith(API):
                ticket.take(of_programs())
            else:
                callers = of_people(environ)
            if refused := environ.get(REFUSED):
                raise refused
        except (Problem, ServiceBusy) as error:
            problem = problem_of(error, begin(environ))
            return _refusal(problem, path, environ, start_response)
        with caller_limits(*callers):
            return self.application(environ, start_response)


class _Counted:
    """An answer whose request counts until the server has taken all of it."""

    def __init__(self, answer: Iterable[bytes], ticket: Ticket) -> None:
        self._answer, self._ticket = answer, ticket

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        try:
            if hasattr(self._answer, "close"):
                self._answer.close()
        finally:
            self._ticket.end()


def _refusal(
    problem: Problem, path: str, environ: dict[str, Any], start_response: Callable[..., Any]
) -> list[bytes]:
    """Answer a program with the problem, and a person with its words."""
    headers, body = dict(problem.headers), problem.body
    if not path.startswith(API):
        headers["Content-Type"] = "text/plain; charset=utf-8"
        body = f"{problem.kind.title}. {problem.detail}\n".encode()
    headers |= {"Content-Length": str(len(body)), HEADER: begin(environ)}
    start_response(status_line(problem.status), list(headers.items()))
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
