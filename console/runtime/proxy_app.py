"""The lean door of the data path: ``/api/v1/connections/<link name>/proxy/<path>``.

A WSGI application that answers these addresses itself and hands everything else to Django.
Calls of programs need neither sessions nor cookies, and what a middleware costs would be
most of what a call costs here. Whoever passes has shown a key; every answer of the console's
own is a problem document, and every call leaves one line in the log.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import IO, Any
from urllib.parse import unquote

from django.conf import settings

from connections.calls.lookup import Caller
from connections.calls.prepared_cache import acting
from connections.calls.prepared_call import PreparedCall
from connections.calls.proxy_headers import loop_token
from connections.calls.proxying import ProxyCall, ProxyResponse, pass_on
from connectors.errors import ServiceError
from connectors.http.stream import StreamedUpload
from console.choices import Environment
from console.invocations.log_writer import note
from console.keys import last_used
from console.keys.authentication import KeyHolder, holder_at
from console.keys.user_tokens import user_at
from console.monitoring.request_ids import HEADER, begin
from console.runtime.error_to_problem import problem_of
from console.runtime.problem_details import Problem, status_line
from console.runtime.request_body import length_of, pieces_of, spooled, too_large
from console.runtime.thread_shares import count_for

logger = logging.getLogger(__name__)

Environ = Mapping[str, Any]
WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: What is smaller is read before it is sent, so that it can be sent once more.
REPLAYED_BYTES = 1024 * 1024
#: The address of a call that is passed on; everything else is Django's.
_PROXIED = re.compile(r"/api/v1/connections/([^/]*)/proxy(/.*)?", re.DOTALL)


class ProxyApplication:
    """Answer calls through connections; leave the rest to ``otherwise``."""

    def __init__(self, otherwise: WSGI) -> None:
        self.otherwise = otherwise

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        address = proxied(environ)
        if address is None:
            return self.otherwise(environ, start_response)
        link_name, path = unquote(address[1]), address[2] or ""
        visit = _Visit(environ, begin(environ), link_name=link_name, path=path)
        return visit.answer(start_response)


class _Visit:
    """One call: who makes it, what it came to, and the line that it leaves."""

    def __init__(self, environ: Environ, request_id: str, *, link_name: str, path: str) -> None:
        self.environ, self.link_name, self.path = environ, link_name, path
        self.request_id = request_id
        self.method: str = environ["REQUEST_METHOD"]
        self.began = time.perf_counter()
        self.holder: KeyHolder | None = None
        self.caller: Caller | None = None
        self.acting: PreparedCall | None = None
        self.received = 0
        self.refreshed = False
        #: A body that had to be kept until it was whole.
        self.spool: IO[bytes] | None = None

    def answer(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            passed = self._passed()
        except Exception as error:
            return self._problem(problem_of(error, self.request_id), start_response)
        finally:
            if self.spool is not None:
                self.spool.close()
        return self._given_back(passed, start_response)

    def note(self, *, status: int, sent: int, problem: str = "") -> None:
        """Leave a line in the log, where it is known whose."""
        if self.holder is None or self.caller is None:
            return
        found = self.acting
        note(
            organization_id=self.holder.organization_id,
            application_id=self.holder.application_id,
            connection_id=found.state.connection if found else None,
            connector=found.connector.slug if found else "",
            environment=self.holder.environment,
            user_id=self.caller.user,
            key_prefix=self.holder.prefix,
            method=self.method,
            host=found.host if found else "",
            path=self.path or "/",
            status=status,
            problem=problem,
            milliseconds=round((time.perf_counter() - self.began) * 1000),
            bytes_in=self.received,
            bytes_out=sent,
            refreshed=self.refreshed,
        )

    def _passed(self) -> ProxyResponse:
        environ = self.environ
        self.holder = holder = holder_at(environ)
        count_for(holder, environ)
        user = user_at(environ, holder)
        last_used.write()
        self.caller = Caller(
            application=holder.application_id,
            organization=holder.organization_id,
            environment=Environment(holder.environment),
            user=user.pk if user else None,
        )
        if loop_token() in environ.get("HTTP_CDN_LOOP", ""):
            raise Problem("loop")
        if "websocket" in environ.get("HTTP_UPGRADE", "").lower():
            raise Problem("upgrade-not-supported")
        self.acting = acting(self.caller, self.link_name)
        passed = pass_on(
            ProxyCall(
                method=self.method,
                path=self.path,
                query=environ.get("QUERY_STRING", ""),
                headers=_headers(environ),
                body=self._body(),
                proxy=f"{settings.PUBLIC_URL}/api/v1/connections/{self.link_name}/proxy",
            ),
            self.acting,
        )
        self.refreshed = passed.refreshed
        return passed

    def _body(self) -> bytes | StreamedUpload | None:
        """Return what is to be sent: small enough to be sent twice, or as it comes."""
        length, limit = length_of(self.environ), settings.PROXY_MAX_REQUEST_BYTES
        stream: IO[bytes] = self.environ["wsgi.input"]
        if length is None:
            stream, length = spooled(stream, limit)
            self.spool = stream
        if length > limit:
            raise too_large(limit)
        pieces = self._counted(pieces_of(stream, length))
        if length > REPLAYED_BYTES:
            return StreamedUpload(pieces=pieces, length=length)
        return b"".join(pieces) or None

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.received += len(piece)
            yield piece

    def _problem(self, problem: Problem, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = b"" if self.method == "HEAD" else problem.body
        headers = [*problem.headers.items(), ("Content-Length", str(len(problem.body)))]
        headers += [("Console-Request-Id", self.request_id), (HEADER, self.request_id)]
        start_response(status_line(problem.status), headers)
        self.note(status=problem.status, sent=len(body), problem=problem.kind.slug)
        return [body]

    def _given_back(
        self, passed: ProxyResponse, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        relayed, headers = passed.relayed, passed.headers
        headers.append(("Console-Request-Id", self.request_id))
        if not any(name.lower() == HEADER.lower() for name, _ in headers):  # the service has none
            headers.append((HEADER, self.request_id))
        if (length := relayed.announced) is not None:
            headers.append(("Content-Length", str(length)))
        start_response(status_line(relayed.status), headers)
        whole = relayed.whole
        if whole is None:
            return _Stream(self, passed)
        self.note(status=relayed.status, sent=len(whole))
        return [whole]


class _Stream:
    """A body on its way back; ended by whoever takes it, at its end or before."""

    def __init__(self, visit: _Visit, passed: ProxyResponse) -> None:
        self._visit, self._relayed = visit, passed.relayed
        self._problem = ""
        self._noted = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._relayed
        except ServiceError as error:
            self._problem = problem_of(error, self._visit.request_id).kind.slug
            # The head is out: all that is left is to break off, and not to end.
            raise
        finally:
            self.close()

    def close(self) -> None:
        if not self._noted:
            self._noted = True
            if not self._problem and not self._relayed.is_over:
                self._problem = "caller-gone"
            self._relayed.close()
            relayed = self._relayed
            self._visit.note(status=relayed.status, sent=relayed.received, problem=self._problem)


def proxied(environ: Environ) -> re.Match[str] | None:
    """Tell whether a request is a call through a connection: its link name, and the path."""
    return _PROXIED.fullmatch(_path_of(environ))


def _path_of(environ: Environ) -> str:
    """Return the path as it was sent, where the server tells, and else as WSGI has decoded it.

    Of ``group%2Fproject`` and ``group/project`` WSGI makes the same. ``RAW_URI`` and
    ``REQUEST_URI`` are what servers add for the target of the request line (RFC 9112, 3.2).
    """
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if not target:
        return str(environ.get("PATH_INFO", ""))
    path = target.partition("?")[0]
    if not path.startswith("/"):  # the whole address, as a proxy is asked
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path.removeprefix(environ.get("SCRIPT_NAME", ""))


def _headers(environ: Environ) -> list[tuple[str, str]]:
    """Return the headers of the request as they came, but for their case."""
    found = [(_name(key), value) for key, value in environ.items() if key.startswith("HTTP_")]
    if content_type := environ.get("CONTENT_TYPE"):
        found.append(("Content-Type", content_type))
    return found


@lru_cache(maxsize=1_000)
def _name(key: str) -> str:
    return key[5:].replace("_", "-").title()
