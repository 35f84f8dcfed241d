"""WSGI application for proxied API calls; everything else goes to Django.

Calls of programs need neither sessions nor cookies, and Django's middleware would take most of
the time that a call takes here. Every call shows a key and leaves one line in the call log, and
every response of the console's own is a problem document.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import IO, Any
from urllib.parse import unquote

from django.conf import settings

from connections.calls.lookup import Caller
from connections.calls.prepared_call import PreparedCall, prepare_call
from connections.calls.proxy_request import ProxyRequest, loop_token
from connections.calls.proxying import ProxyResponse, proxy
from connectors.errors import ServiceError
from connectors.http.stream import StreamedUpload
from console.choices import Environment
from console.invocations.log_writer import note
from console.keys import last_used
from console.keys.authentication import KeyHolder, authenticate
from console.keys.user_tokens import read_user
from console.monitoring.request_ids import HEADER, begin
from console.runtime.concurrency_limits import acquire_for_key
from console.runtime.problem_details import Problem, problem_of, status_line
from console.runtime.request_body import length_of, pieces_of, spooled, too_large

Environ = Mapping[str, Any]
WSGI = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

#: Smaller bodies are read before they are sent, so that they can be sent again.
REPLAYED_BYTES = 1024 * 1024
_PROXY_URL = re.compile(r"/api/v1/connections/([^/]*)/proxy(/.*)?", re.DOTALL)


class ProxyApplication:
    """Answer proxied calls; pass all other requests to ``fallback``."""

    def __init__(self, fallback: WSGI) -> None:
        self.fallback = fallback

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        match = match_proxy_url(environ)
        if match is None:
            return self.fallback(environ, start_response)
        link_name, path = unquote(match[1]), match[2] or ""
        handler = _CallHandler(environ, begin(environ), link_name=link_name, path=path)
        return handler.respond(start_response)


class _CallHandler:
    """Handles one call, from authentication to its line in the call log."""

    def __init__(self, environ: Environ, request_id: str, *, link_name: str, path: str) -> None:
        self.environ, self.link_name, self.path = environ, link_name, path
        self.request_id = request_id
        self.method: str = environ["REQUEST_METHOD"]
        self.started = time.perf_counter()
        self.holder: KeyHolder | None = None
        self.caller: Caller | None = None
        self.prepared: PreparedCall | None = None
        self.received = 0
        self.refreshed = False
        #: A body of unknown length, kept until it was complete.
        self.spool: IO[bytes] | None = None

    def respond(self, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            response = self._call()
        except Exception as error:
            return self._send_problem(problem_of(error, self.request_id), start_response)
        finally:
            if self.spool is not None:
                self.spool.close()
        return self._send(response, start_response)

    def log(self, *, status: int, sent: int, problem: str = "") -> None:
        """Write a line to the call log, unless the caller is unknown."""
        if self.holder is None or self.caller is None:
            return
        prepared = self.prepared
        note(
            organization_id=self.holder.organization_id,
            application_id=self.holder.application_id,
            connection_id=prepared.state.connection if prepared else None,
            connector=prepared.connector.slug if prepared else "",
            environment=self.holder.environment,
            user_id=self.caller.user,
            key_prefix=self.holder.prefix,
            method=self.method,
            host=prepared.host if prepared else "",
            path=f"{prepared.base_path if prepared else ''}{self.path}" or "/",
            status=status,
            problem=problem,
            milliseconds=round((time.perf_counter() - self.started) * 1000),
            bytes_in=self.received,
            bytes_out=sent,
            refreshed=self.refreshed,
        )

    def _call(self) -> ProxyResponse:
        environ = self.environ
        self.holder = authenticate(environ)
        acquire_for_key(self.holder, environ)
        user = read_user(environ, self.holder)
        last_used.write()
        self.caller = Caller(
            application=self.holder.application_id,
            organization=self.holder.organization_id,
            environment=Environment(self.holder.environment),
            user=user.pk if user else None,
        )
        if loop_token() in environ.get("HTTP_CDN_LOOP", ""):
            raise Problem("loop")
        if "websocket" in environ.get("HTTP_UPGRADE", "").lower():
            raise Problem("upgrade-not-supported")
        self.prepared = prepare_call(self.caller, self.link_name)
        response = proxy(self._request(), self.prepared)
        self.refreshed = response.refreshed
        return response

    def _request(self) -> ProxyRequest:
        return ProxyRequest(
            method=self.method,
            path=self.path,
            query=self.environ.get("QUERY_STRING", ""),
            headers=_headers(self.environ),
            body=self._body(),
            proxy_url=f"{settings.PUBLIC_URL}/api/v1/connections/{self.link_name}/proxy",
        )

    def _body(self) -> bytes | StreamedUpload | None:
        """Return the body: as bytes if it is small enough to be sent twice, else as a stream."""
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

    def _send_problem(
        self, problem: Problem, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        body = b"" if self.method == "HEAD" else problem.body
        headers = [*problem.headers.items(), ("Content-Length", str(len(problem.body)))]
        headers += [("Console-Request-Id", self.request_id), (HEADER, self.request_id)]
        start_response(status_line(problem.status), headers)
        self.log(status=problem.status, sent=len(body), problem=problem.type.slug)
        return [body]

    def _send(self, response: ProxyResponse, start_response: Callable[..., Any]) -> Iterable[bytes]:
        streamed, headers = response.streamed, response.headers
        headers.append(("Console-Request-Id", self.request_id))
        if not any(name.lower() == HEADER.lower() for name, _ in headers):  # the service has none
            headers.append((HEADER, self.request_id))
        if (length := streamed.content_length) is not None:
            headers.append(("Content-Length", str(length)))
        start_response(status_line(streamed.status), headers)
        whole = streamed.whole
        if whole is None:
            return _LoggedBody(self, response)
        self.log(status=streamed.status, sent=len(whole))
        return [whole]


class _LoggedBody:
    """A streamed response body that writes the log line once it ends or is closed."""

    def __init__(self, handler: _CallHandler, response: ProxyResponse) -> None:
        self._handler, self._streamed = handler, response.streamed
        self._problem = ""
        self._is_logged = False

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._streamed
        except ServiceError as error:
            self._problem = problem_of(error, self._handler.request_id).type.slug
            # The status was sent: all that is left is to break the response off.
            raise
        finally:
            self.close()

    def close(self) -> None:
        if self._is_logged:
            return
        self._is_logged = True
        streamed = self._streamed
        if not self._problem and not streamed.is_over:
            self._problem = "caller-gone"
        streamed.close()
        self._handler.log(status=streamed.status, sent=streamed.received, problem=self._problem)


def match_proxy_url(environ: Environ) -> re.Match[str] | None:
    """Match the URL of a proxied call: the link name and the path at the service."""
    return _PROXY_URL.fullmatch(_raw_path(environ))


def _raw_path(environ: Environ) -> str:
    """Return the path as it was sent, or as WSGI decodes it if the server does not say.

    WSGI decodes ``group%2Fproject`` and ``group/project`` to the same path. Servers add the
    request target (RFC 9112 section 3.2) as ``RAW_URI`` or ``REQUEST_URI``.
    """
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if not target:
        return str(environ.get("PATH_INFO", ""))
    path = target.partition("?")[0]
    if not path.startswith("/"):  # absolute form, as sent to a proxy
        path = "/" + path.partition("://")[2].partition("/")[2]
    return path.removeprefix(environ.get("SCRIPT_NAME", ""))


def _headers(environ: Environ) -> list[tuple[str, str]]:
    """Return the headers of the request; only their case is lost."""
    headers = [(_header_name(k), value) for k, value in environ.items() if k.startswith("HTTP_")]
    if content_type := environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", content_type))
    return headers


@lru_cache(maxsize=1_000)
def _header_name(key: str) -> str:
    return key[5:].replace("_", "-").title()
