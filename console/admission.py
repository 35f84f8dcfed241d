"""Admission control: which request gets a thread, before anything else looks at it.

Calls of programs, calls that people make from pages, and bodies that are being read have
shares of the threads (``shares.py``). What is left answers pages and ``/healthz``, whatever
else waits. A request beyond its share is refused at once, with a ``Retry-After``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from connectors.bulkhead import BUSY_SECONDS, Share, bulkhead, calling
from connectors.errors import ServiceBusy
from console.request_body import MOST_BYTES, Reading, length_of
from console.request_ids import HEADER, begin
from console.runtime.door import WSGI, proxied
from console.runtime.explaining import problem_of
from console.runtime.problems import Problem, status_line
from console.shares import Ticket, of_people, of_programs, of_readers, of_slow_bodies

API = "/api/v1/"
#: A body that takes no longer counts for nothing: nearly all are here when the head is.
QUICK_SECONDS = 0.25


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
        callers: tuple[Share, ...] = ()
        try:
            if path.startswith(API):
                ticket.take(of_programs())
            else:
                callers = of_people(environ)
            if proxied(environ) is None:  # those read it once they know whose key it is
                _read_body(ticket, environ)
        except (Problem, ServiceBusy) as error:
            problem = problem_of(error, begin(environ))
            return _refusal(problem, path, environ, start_response)
        with calling(*callers):
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


def _read_body(ticket: Ticket, environ: dict[str, Any]) -> None:
    """Read the body before a view does; raise :class:`Problem`.

    Few threads wait for bodies that come slowly, and few of them for one network address.
    """
    length = length_of(environ)
    if length == 0:
        return
    if length > MOST_BYTES:
        raise Problem("request-too-large", f"The body is larger than {MOST_BYTES / 1024**2:g} MiB.")
    readers, waiting = of_readers(environ), of_slow_bodies(environ)
    try:
        bulkhead.enter(*readers)
        reading = Reading(environ["wsgi.input"], length, lambda: bulkhead.leave(*readers))
        if not reading.arrives_within(QUICK_SECONDS):
            try:
                bulkhead.enter(*waiting)
            except ServiceBusy:
                reading.abandon()
                raise
            try:
                reading.whole()
            finally:
                bulkhead.leave(*waiting)
    except ServiceBusy:
        raise _too_many_bodies() from None
    environ["wsgi.input"] = file = reading.whole()
    ticket.closes(file)


def _too_many_bodies() -> Problem:
    seconds = str(random.randint(*BUSY_SECONDS))  # noqa: S311
    return Problem(
        "console-busy",
        "The console is reading as many requests as it can just now. Nothing was done. Try again "
        "in a moment.",
        headers={"Retry-After": seconds},
    )


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
