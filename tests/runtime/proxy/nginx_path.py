"""The nginx path: programs call nginx, which asks the console in this process on a real port.

What blocks in the console runs in the thread of the test, so that it sees the test's transaction.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.urls import get_resolver
from granian.constants import Interfaces
from granian.server.embed import Server

from console.runtime.asgi_request import ASGI, Message, Receive, Send, environ_of
from console.runtime.proxy_app import ProxyApplication
from console.server.body_buffer import receive_body
from tests.gateway.nginx_server import SECRET, Nginx, nginx
from tests.runtime.proxy.program import (
    Answered,
    ClosingThreads,
    Exchange,
    TestThread,
    django_answers,
    on_loop,
    test_loop,
)
from tests.servers import free_port

__all__ = ["SECRET", "NginxPath", "nginx_path"]

#: What nginx and granian add for each connection.
_OF_THE_CONNECTION = {"connection", "date", "keep-alive", "server", "transfer-encoding"}


class _Internal:
    """ASGI application that lets Django answer nginx's questions, and nothing else."""

    def __init__(self, block: Callable[..., Any]) -> None:
        self._block = block

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if not scope["raw_path"].startswith(b"/internal/"):
            await django_answers(scope, receive, send)
            return
        environ = environ_of(scope)
        await receive_body(environ, receive)
        status, headers, body = await self._block(_run_django, environ)
        pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})


def _run_django(environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return status, headers and body; as in Django's test client, connections stay open."""
    started: list[Any] = []
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        response = WSGIHandler()(environ, lambda *arguments: started.extend(arguments))
        body = b"".join(response)
        response.close()
    finally:
        environ["wsgi.input"].close()
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)
    return int(started[0][:3]), started[1], body


def _run_and_close(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    finally:
        connections.close_all()


class NginxPath:
    """Programs speak HTTP with nginx; the console behind it runs on the loop of all tests."""

    name = "nginx"

    def __init__(self, server: Nginx, console: _Console) -> None:
        self.nginx, self._console = server, console

    def exchange(self, *arguments: Any, **more: Any) -> HttpExchange:
        return HttpExchange(*arguments, port=self.nginx.port, **more)

    @contextmanager
    def with_threads(self, number: int) -> Iterator[NginxPath]:
        """Let real threads run what blocks; the test's data must be committed."""

        async def block(function: Callable[..., Any], *arguments: Any) -> Any:
            return await asyncio.to_thread(_run_and_close, function, *arguments)

        before = self._console.application
        self._console.application = ProxyApplication(
            _Internal(block), ClosingThreads("reads", 4), ClosingThreads("renewals", number)
        )
        try:
            yield self
        finally:
            self._console.application = before


class _Console:
    """The console on a port of this machine; its application can be replaced."""

    def __init__(self) -> None:
        self.port = free_port()
        self.application: ASGI = ProxyApplication(
            _Internal(test_loop.block), TestThread(), TestThread()
        )

    async def answer(self, scope: Message, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)

    @contextmanager
    def served(self) -> Iterator[None]:
        logging.getLogger("_granian").setLevel(logging.ERROR)
        server = Server(
            self.answer,
            address="127.0.0.1",
            port=self.port,
            interface=Interfaces.ASGINL,
            websockets=True,
        )

        async def start() -> asyncio.Task[None]:
            return asyncio.create_task(server.serve())

        async def stop() -> None:
            server.stop()
            await serving

        serving = on_loop(start())
        try:
            yield
        finally:
            on_loop(stop())


@contextmanager
def nginx_path(folder: Path) -> Iterator[NginxPath]:
    """Start nginx and the console behind it; stop both when the block ends."""
    console = _Console()
    assert get_resolver().url_patterns  # imports all views: nginx waits four seconds for an answer
    url = f"http://127.0.0.1:{console.port}"
    # One worker, as one process of the console: each has idle connections of its own.
    with console.served(), nginx(folder, url, workers=1) as server:
        yield NginxPath(server, console)


class HttpExchange(Exchange):
    """One request and its response over a connection of its own."""

    def __init__(self, *arguments: Any, port: int, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._port = port

    async def run(self) -> Answered:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        tasks = [
            asyncio.create_task(each)
            for each in (self._receive(reader), self._send(writer), self._disconnected.wait())
        ]
        receiving, _, leaving = tasks
        try:
            await asyncio.wait({receiving, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if receiving.done():
                receiving.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            writer.transport.abort()
        return self.answer

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        scope, pieces = self.scope, self._pieces or []
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        lines = [b"%b %b HTTP/1.1" % (scope["method"].encode("latin-1"), target)]
        lines += [b"%b: %b" % (name.title(), value) for name, value in scope["headers"]]
        names = dict(scope["headers"])
        is_chunked = b"chunked" in names.get(b"transfer-encoding", b"").lower()
        if b"connection" not in names:
            lines.append(b"Connection: close")
        writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        with suppress(ConnectionError):
            for piece in pieces:
                if self._pause:
                    await asyncio.sleep(self._pause)
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
                await writer.drain()
            if self._hangs:
                await asyncio.sleep(30)
            if self._breaks_off:
                writer.write_eof()
            elif is_chunked:
                writer.write(b"0\r\n\r\n")
            await writer.drain()

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        answer = self.answer
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            line, *lines = head[:-4].decode("latin-1").split("\r\n")
            headers = [tuple(each.split(": ", 1)) for each in lines]
            found = {name.lower(): value for name, value in headers}
            answer.status = int(line.split()[1])
            answer.headers = [each for each in headers if each[0].lower() not in _OF_THE_CONNECTION]
            if self.scope["method"] == "HEAD" or answer.status in {204, 304}:
                pass
            elif "transfer-encoding" in found:
                while size := int(await reader.readuntil(b"\r\n"), 16):
                    await self._pieces_of(reader, size)
                    await reader.readexactly(2)
                await reader.readexactly(2)
            elif "content-length" in found:
                await self._pieces_of(reader, int(found["content-length"]))
            else:
                while piece := await reader.read(65_536):
                    self._arrive(piece)
            answer.broke_off = False

    async def _pieces_of(self, reader: asyncio.StreamReader, size: int) -> None:
        while size:
            piece = await reader.read(min(size, 65_536))
            if not piece:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(piece)
            self._arrive(piece)

    def _arrive(self, piece: bytes) -> None:
        self.answer.body += piece
        self.answer.pieces.append(piece)
        if self._arrived:
            self._arrived(self)
