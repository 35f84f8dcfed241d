"""ASGI application for proxied API calls; everything else goes to the rest of the console.

A call needs no thread: it waits for the program and for the service on the event loop. Only what
reads the database or renews a token runs in a thread (``call_preparation.py``). Calls of programs
need neither sessions nor cookies, so Django's middleware is left out. Every call shows a key and
leaves one line in the call log, and every response of the console's own is a problem document.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from connections.calls.proxy_request import ProxyRequest
from connections.calls.proxying import ProxyResponse, proxy
from connectors.http.stream import StreamedResponse, StreamedUpload
from console.monitoring.request_ids import HEADER
from console.runtime.asgi_request import (
    ASGI,
    Message,
    Receive,
    Send,
    discard_rest,
    header_list,
    match_proxy_url,
    may_have_body,
    wait_for_disconnect,
)
from console.runtime.problem_details import Problem, problem_of
from console.runtime.proxy_call import CallThreads, ProxyCall
from console.runtime.proxy_websocket import WebSocketCall
from console.runtime.request_body import RequestBody, too_large
from console.worker_threads import WorkerThreads

logger = logging.getLogger(__name__)

#: Smaller bodies are received before they are sent, so that they can be sent again.
REPLAYED_BYTES = 1024 * 1024
#: A call that takes longer is watched: it ends when the program disconnects.
WATCHED_AFTER_SECONDS = 0.05
#: Threads for queries, and for renewals, each of which may wait for a service.
READ_THREADS, RENEWAL_THREADS = 4, 32


class _NotRead(Exception):
    """A program does not read what it asked for."""


class ProxyApplication:
    """Answer proxied calls; pass all other requests to ``fallback``."""

    def __init__(
        self,
        fallback: ASGI,
        reads: WorkerThreads | None = None,
        renewals: WorkerThreads | None = None,
    ) -> None:
        self.fallback = fallback
        self.threads = CallThreads(
            reads or WorkerThreads("reads", READ_THREADS),
            renewals or WorkerThreads("renewals", RENEWAL_THREADS),
        )

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        kind = _KINDS.get(scope["type"])
        match = match_proxy_url(scope) if kind else None
        if kind is None or match is None:
            await self.fallback(scope, receive, send)
            return
        named = {"link_name": unquote(match[1]), "path": match[2] or ""}
        await kind(self.threads, scope, receive, send, **named).respond()


class _HttpCall(ProxyCall):
    """A call of one request and one response."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.body: RequestBody | None = None
        self.client = _Client(self.receive)
        self.is_answered = False

    async def respond(self) -> None:
        try:
            response = await self.client.while_connected(self._call)
        except asyncio.CancelledError:
            self._log(status=0, sent=0, problem="caller-gone")
            if not self.client.has_disconnected:
                raise
        except Exception as error:
            await self._send_problem(problem_of(error, self.request_id))
        else:
            await self._send(response)
        finally:
            self.client.stop_watching()
            self.release()
        if self._is_still_sent:
            await discard_rest(self.receive)

    @property
    def _is_still_sent(self) -> bool:
        """Tell whether the program was answered before the end of its body."""
        if not self.is_answered:
            return False
        return may_have_body(self.environ) if self.body is None else not self.body.is_over

    async def _call(self) -> ProxyResponse:
        prepared = await self.prepare()
        response = await proxy(
            ProxyRequest(
                method=self.method,
                path=self.path,
                query=self.environ["QUERY_STRING"],
                headers=header_list(self.environ),
                body=await self._body(),
                proxy_url=self.proxy_url,
            ),
            prepared,
            self.threads.preparation,
        )
        self.refreshed = response.refreshed
        return response

    async def _body(self) -> bytes | StreamedUpload | None:
        """Return the body: as bytes if it is small enough to be sent twice, else as a stream."""
        self.body = body = RequestBody(self.receive, self.environ)
        limit = settings.PROXY_MAX_REQUEST_BYTES
        if (body.length or 0) > limit:
            raise too_large(limit)
        first = await body.start(min(REPLAYED_BYTES, limit))
        if body.received > limit:
            raise too_large(limit)
        if body.is_over and body.received <= REPLAYED_BYTES:
            self.client.watch_soon()
            return first or None
        return StreamedUpload(pieces=self._rest(body, first, limit), length=body.length)

    async def _rest(self, body: RequestBody, first: bytes, limit: int) -> AsyncIterator[bytes]:
        async for piece in body.rest(first, limit):
            yield piece
        self.client.watch_soon()

    async def _send_problem(self, problem: Problem) -> None:
        body = b"" if self.method == "HEAD" else problem.body
        headers = [*problem.headers.items(), ("Content-Length", str(len(problem.body)))]
        headers += [("Console-Request-Id", self.request_id), (HEADER, self.request_id)]
        self._log(status=problem.status, sent=len(body), problem=problem.type.slug)
        await self._send_head(problem.status, headers)
        await self._send_piece(body, more=False)

    async def _send(self, response: ProxyResponse) -> None:
        streamed, headers = response.streamed, response.headers
        headers.append(("Console-Request-Id", self.request_id))
        if not any(name.lower() == HEADER.lower() for name, _ in headers):  # the service has none
            headers.append((HEADER, self.request_id))
        if (length := streamed.content_length) is not None:
            headers.append(("Content-Length", str(length)))
        whole = streamed.whole
        if whole is not None:
            self._log(status=streamed.status, sent=len(whole))
            await self._send_head(streamed.status, headers)
            await self._send_piece(whole, more=False)
            return
        problem = "caller-gone"
        try:
            await self.client.while_connected(self._stream, streamed, headers)
            problem = ""
        except asyncio.CancelledError:
            if not self.client.has_disconnected:
                raise
        except _NotRead:
            logger.warning("Request %s broke off: it was not read in time", self.request_id)
        except Exception as error:
            problem = problem_of(error, self.request_id).type.slug
            # The status was sent: all that is left is to break the response off. The server
            # closes the connection if a response is not ended.
            logger.warning("Request %s broke off: %s", self.request_id, problem)
        finally:
            streamed.close()
            self._log(status=streamed.status, sent=streamed.received, problem=problem)

    async def _stream(self, streamed: StreamedResponse, headers: list[tuple[str, str]]) -> None:
        if self.body is None or self.body.is_over:  # else the body is still being received
            self.client.watch()
        await self._send_head(streamed.status, headers)
        await self._send_piece(b"")  # at once: the first piece of a stream may take a while
        while piece := await streamed.read():
            await self._send_in_time(piece)
        await self._send_piece(b"", more=False)

    async def _send_in_time(self, piece: bytes) -> None:
        """Send a piece, or raise :class:`_NotRead` if the program stops reading."""
        try:
            async with asyncio.timeout(settings.PROXY_SECONDS):
                await self._send_piece(piece)
        except TimeoutError:
            raise _NotRead from None

    async def _send_head(self, status: int, headers: list[tuple[str, str]]) -> None:
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self.send({"type": "http.response.start", "status": status, "headers": pairs})

    async def _send_piece(self, piece: bytes, *, more: bool = True) -> None:
        await self.send({"type": "http.response.body", "body": piece, "more_body": more})
        self.is_answered = not more

    def _log(self, *, status: int, sent: int, problem: str = "") -> None:
        received = self.body.received if self.body else 0
        self.log(status=status, received=received, sent=sent, problem=problem)


class _Client:
    """Tells whether the program is still connected, once its request has been received."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        self._task: asyncio.Task[Any] | None = None
        self.has_disconnected = False

    async def while_connected(self, function: Any, *arguments: Any) -> Any:
        """Await a function; cancel it when the program disconnects."""
        self._task = asyncio.current_task()
        try:
            return await function(*arguments)
        finally:
            self._task = None

    def watch_soon(self) -> None:
        """Watch the connection in a moment: most calls are over by then."""
        if self._watching is None and self._timer is None:
            self._timer = self._loop.call_later(WATCHED_AFTER_SECONDS, self.watch)

    def watch(self) -> None:
        if self._watching is None:
            self._watching = self._loop.create_task(wait_for_disconnect(self._receive))
            self._watching.add_done_callback(self._notice)

    def stop_watching(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._watching is not None:
            self._watching.cancel()

    def _notice(self, watching: asyncio.Task[None]) -> None:
        if watching.cancelled() or watching.exception() is not None:
            return
        self.has_disconnected = True
        if self._task is not None:
            self._task.cancel()


_KINDS: dict[str, type[_HttpCall | WebSocketCall]] = {
    "http": _HttpCall,
    "websocket": WebSocketCall,
}
