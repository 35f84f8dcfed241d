"""Run a WSGI application (PEP 3333) on an ASGI server, each request in a thread.

``RAW_URI`` has the request target as it was sent. Header bytes are Latin-1 in both directions.
If a response breaks off, the server closes the connection instead of ending the response.
"""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import Awaitable, Callable, Iterable
from queue import SimpleQueue
from threading import Thread
from typing import Any

from console.runtime.asgi_request import (
    ClientDisconnected,
    Environ,
    Message,
    Receive,
    Send,
    discard_rest,
    environ_of,
    may_have_body,
    wait_for_disconnect,
)

logger = logging.getLogger(__name__)

WSGI = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
#: Receives the body of a request into its WSGI environment; tells whether that is all of it.
ReceiveBody = Callable[[Environ, Receive], Awaitable[bool]]

_BAD_REQUEST: Message = {
    "type": "http.response.start",
    "status": 400,
    "headers": [(b"Content-Length", b"0"), (b"Connection", b"close")],
}


class ResponseAborted(OSError):
    """The client disconnected before the complete response was sent."""


class ThreadedWSGI:
    """ASGI application that runs a WSGI application in a fixed number of threads.

    ``receive_body`` receives the body, or its start, before a thread takes the request.
    """

    def __init__(self, application: WSGI, *, threads: int, receive_body: ReceiveBody) -> None:
        self._application, self._receive_body = application, receive_body
        self._queue: SimpleQueue[_Exchange] = SimpleQueue()
        for number in range(threads):
            Thread(target=self._work, name=f"web-{number}", daemon=True).start()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # no page speaks the WebSocket protocol
            await send({"type": "websocket.close"})
            return
        environ = environ_of(scope)
        is_received = True
        if may_have_body(environ):
            try:
                is_received = await self._receive_body(environ, receive)
            except ClientDisconnected:  # or the request was malformed
                await _send_whole(send, _BAD_REQUEST, b"")
                return
        else:
            environ["wsgi.input"] = io.BytesIO()
        loop = asyncio.get_running_loop()
        exchange = _Exchange(environ, receive, send, loop)
        self._queue.put(exchange)
        if (whole := await exchange.done) is not None:
            await _send_whole(send, exchange.start, whole)
            if not is_received:
                await discard_rest(receive)

    def _work(self) -> None:
        while True:
            exchange = self._queue.get()
            exchange.run(self._application)
            del exchange  # frees its memory before the next request arrives


class _Exchange:
    """One request and its response.

    ``start`` is the message with status and headers. ``done`` is the complete body, if it was
    not sent in pieces.
    """

    def __init__(
        self, environ: Environ, receive: Receive, send: Send, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._environ, self._receive, self._send, self._loop = environ, receive, send, loop
        self.start: Message = {}
        self._watching: asyncio.Task[None] | None = None
        self.done: asyncio.Future[bytes | None] = loop.create_future()

    def run(self, application: WSGI) -> None:
        """Run the application, in a thread other than the event loop's."""
        whole = error = None
        try:
            body = application(self._environ, self._started)
            if isinstance(body, list):
                whole = b"".join(body)
            else:
                self._stream(body)
        except BaseException as caught:
            error = caught
        self._environ["wsgi.input"].close()
        self._loop.call_soon_threadsafe(self._finish, whole, error)

    def _started(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        self.start = {
            "type": "http.response.start",
            "status": int(status[:3]),
            "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers],
        }
        return _no_write

    def _stream(self, body: Iterable[bytes]) -> None:
        is_begun = False
        try:
            if self.start:  # at once: the first piece of a stream may take a while
                self._wait_for(self._piece(b"", start=True))
                is_begun = True
            for piece in body:
                if piece:
                    self._wait_for(self._piece(piece, start=not is_begun))
                    is_begun = True
            self._wait_for(self._piece(b"", start=not is_begun, more_body=False))
        except ResponseAborted:
            pass
        except Exception as error:
            if not is_begun:
                raise
            # The server closes the connection if a response is not ended.
            logger.warning("A response broke off: %s", type(error).__name__)
        finally:
            if hasattr(body, "close"):
                body.close()

    async def _piece(self, body: bytes, *, start: bool, more_body: bool = True) -> None:
        if start:
            await self._send(self.start)
            # Sending to a client that has disconnected would raise nothing.
            self._watching = asyncio.create_task(wait_for_disconnect(self._receive))
        if self._watching is not None and self._watching.done():
            raise ResponseAborted
        await self._send({"type": "http.response.body", "body": body, "more_body": more_body})

    def _wait_for(self, sending: Any) -> None:
        asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def _finish(self, whole: bytes | None, error: BaseException | None) -> None:
        if self._watching is not None:
            self._watching.cancel()
        if self.done.done():  # the server has given up the request
            return
        if error is None:
            self.done.set_result(whole)
        else:
            self.done.set_exception(error)


async def _send_whole(send: Send, start: Message, body: bytes) -> None:
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _no_write(data: bytes) -> None:
    raise NotImplementedError("an application returns its body")
