"""A program that calls connections: the proxy application without a server, or nginx."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, TypeVar

from django.db import connections

from connections.calls import prepared_call
from connectors.definitions.registry import get_connectors
from connectors.http.connection_pool import close_idle
from console.invocations import log_writer
from console.invocations.call_line import CallLine
from console.keys import authentication, user_tokens
from console.runtime.asgi_request import Message, Receive, Send
from console.runtime.proxy_app import ProxyApplication
from console.worker_threads import WorkerThreads
from tests.invocations.lines import fields_of
from tests.servers import ROOT

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CALLS = "/api/v1/connections"

#: How long nginx keeps a route here; in production a second.
ROUTE_SECONDS = 0.05
#: What nginx does in another way: the left column of the table in docs/guides/nginx.md.
DIFFERENCES = frozenset(
    re.findall(
        r"^\| ([^|]+?) \|",
        (ROOT / "docs/guides/nginx.md").read_text().partition("## What differs")[2],
        re.MULTILINE,
    )
)

T = TypeVar("T")


class TestLoop:
    """The event loop of all tests, in a thread of its own, as in a server's process.

    The thread of the test runs what blocks: its transaction is not seen by other threads.
    """

    __test__ = False

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._blocking: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self.loop.run_forever, name="test loop", daemon=True).start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop, and in this thread what it passes to :meth:`block`."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        future.add_done_callback(lambda _: self._blocking.put(None))
        while (function := self._blocking.get()) is not None:
            function()
        return future.result()

    async def block(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function in the thread of the test."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)

        self._blocking.put(run)
        return await asyncio.wrap_future(future)


test_loop = TestLoop()
on_loop = test_loop.run


def hang_up() -> None:
    """Close all idle connections to services."""

    async def close() -> None:
        close_idle()
        await asyncio.sleep(0.001)

    on_loop(close())


class TestThread(WorkerThreads):
    """Runs everything in the thread of the test."""

    __test__ = False

    def __init__(self) -> None:
        super().__init__("unused", 1)

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        return await test_loop.block(function, *arguments)


class ClosingThreads(WorkerThreads):
    """Closes its database connections, so that the test's database can be removed."""

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        def run_and_close() -> T:
            try:
                return function(*arguments)
            finally:
                connections.close_all()

        return await super().run(run_and_close)


async def django_answers(scope: Message, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b"Django answers this."})


@dataclass(kw_only=True)
class Answered:
    """What the program was answered. ``broke_off`` says that the response was not completed."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = field(default=b"", repr=False)
    pieces: list[bytes] = field(default_factory=list, repr=False)
    broke_off: bool = True

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def is_by_nginx(self) -> bool:
        """Tell whether nginx made the call itself: its request IDs end with a number."""
        return self.all("Console-Request-Id")[0][24:28] == "0000"

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Return the last part of the problem's type."""
        assert self.all("Content-Type") == ["application/problem+json"], self.body
        document = self.json()
        assert document["status"] == self.status
        return document["type"].rpartition("/")[2]


class Exchange:
    """One request and its response, as an ASGI server handles them.

    ``body`` are the pieces of the request's body. After them the sender disconnects if they are
    shorter than ``Content-Length`` or if the body ``breaks_off``, and sends nothing more if it
    ``hangs``. It pauses before each piece for ``pause`` seconds. ``arrived`` is called after each
    piece of the response.
    """

    def __init__(
        self,
        scope: Message,
        body: Iterable[bytes] = (),
        *,
        breaks_off: bool = False,
        hangs: bool = False,
        pause: float = 0,
        arrived: Callable[[Exchange], None] | None = None,
        application: ProxyApplication | None = None,
    ) -> None:
        self._application = application
        self.scope, self.answer = scope, Answered()
        self._pieces: list[bytes] | None = [*body]
        self._breaks_off, self._hangs, self._arrived = breaks_off, hangs, arrived
        self._pause = pause
        self._disconnected = asyncio.Event()  # bound to the loop where it is awaited
        said = dict(scope["headers"]).get(b"content-length", b"")
        if said.isdigit() and int(said) > sum(map(len, self._pieces)):
            self._breaks_off = True

    async def run(self) -> Answered:
        assert self._application
        await self._application(self.scope, self.receive, self.send)
        return self.answer

    def disconnect(self) -> None:
        """Let the program go away."""
        self._disconnected.set()

    async def receive(self) -> Message:
        if self._pieces is not None:
            if not self._pieces and self._hangs:
                await asyncio.sleep(30)
            if not self._pieces and self._breaks_off:
                return {"type": "http.disconnect"}
            if self._pause:
                await asyncio.sleep(self._pause)
            piece = self._pieces.pop(0) if self._pieces else b""
            more = bool(self._pieces) or self._breaks_off or self._hangs
            if not more:
                self._pieces = None
            return {"type": "http.request", "body": piece, "more_body": more}
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        answer = self.answer
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in message["headers"]
            ]
            return
        answer.broke_off = message.get("more_body", False)
        if message["body"]:
            answer.body += message["body"]
            answer.pieces.append(message["body"])
        if self._arrived:
            self._arrived(self)


class PythonPath:
    """Programs call the proxy application itself."""

    name = "python"

    def __init__(self, application: ProxyApplication | None = None) -> None:
        self.application = application or ProxyApplication(
            django_answers, TestThread(), TestThread()
        )

    def exchange(self, *arguments: Any, **more: Any) -> Exchange:
        return Exchange(*arguments, application=self.application, **more)

    @contextmanager
    def with_threads(self, number: int) -> Iterator[PythonPath]:
        """Let real threads run what blocks; the test's data must be committed."""
        threads = ClosingThreads("reads", 4), ClosingThreads("renewals", number)
        yield PythonPath(ProxyApplication(django_answers, *threads))


@dataclass(kw_only=True)
class Program:
    """Calls connections with a key. ``path`` is the way of its calls through the console."""

    key: str = ""
    path: Any = field(default_factory=PythonPath)
    calls: int = 0

    @property
    def is_nginx(self) -> bool:
        return bool(self.path.name == "nginx")

    def differs(self, difference: str) -> bool:
        """Tell whether nginx does something else here; the guide must say so."""
        assert any(row.startswith(difference) for row in DIFFERENCES), difference
        return self.is_nginx

    def a_second_later(self) -> None:
        """Let the time be over for which what was read is used."""
        for cached in (authentication._holders, user_tokens._users, prepared_call._prepared):
            cached.expire()
        if self.is_nginx:
            time.sleep(ROUTE_SECONDS + 0.01)

    def logged(self) -> dict[str, Any]:
        """Return the last line in the log of calls. Those of nginx come half a second later."""
        return self.lines()[-1]

    def lines(self) -> list[dict[str, Any]]:
        """Return a line for each call of this program."""
        return [fields_of(line) for line in self._lines()]

    def _lines(self) -> list[CallLine]:
        prefix = self.key.rpartition("_")[0]

        async def arrived() -> list[CallLine]:
            deadline = time.monotonic() + 10
            while True:
                rows = [row for row in log_writer.writer._rows if row.context.key_prefix == prefix]
                if len(rows) >= self.calls or time.monotonic() > deadline:
                    return rows
                await asyncio.sleep(0.01)

        return on_loop(arrived())

    def write_log(self) -> None:
        """Write the lines of this program; what earlier tests have left is not written."""
        rows = self._lines()
        log_writer.writer._rows.clear()
        log_writer.writer._rows.extend(rows)
        assert log_writer.writer.write()

    def scope(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: dict[str, str] | None = None,
        *,
        http_version: str = "1.1",
    ) -> Message:
        """Return the ASGI scope of a request; ``path`` is sent as it is."""
        sent = {"Host": "console.test"}
        if self.key:
            sent["Authorization"] = f"Bearer {self.key}"
        sent |= headers or {}
        return {
            "type": "http",
            "http_version": http_version,
            "method": method,
            "scheme": "http",
            "raw_path": path.encode("latin-1"),
            "query_string": query.encode("latin-1"),
            "headers": [
                (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
                for name, value in sent.items()
            ],
            "client": ("192.0.2.7", 40_000),
            "server": ("console.test", 80),
        }

    def ask(self, scope: Message, body: Iterable[bytes] = (), **more: Any) -> Answered:
        """Send a request and return the whole response."""
        self.calls += 1
        return on_loop(self.path.exchange(scope, body, **more).run())

    def call(
        self,
        method: str,
        link_name: str,
        path: str = "/contacts",
        *,
        query: str = "",
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        **more: Any,
    ) -> Answered:
        sent = dict(headers or {})
        if body is not None:
            sent["Content-Length"] = str(len(body))
        scope = self.scope(method, f"{CALLS}/{link_name}/proxy{path}", query, sent)
        return self.ask(scope, _cut(body or b""), **more)

    def get(self, link_name: str, path: str = "/contacts", **more: Any) -> Answered:
        return self.call("GET", link_name, path, **more)

    def at_once(self, times: int, link_name: str, path: str = "/contacts") -> list[Answered]:
        """Make the same call several times at once, with real threads for what blocks."""
        scope = self.scope("GET", f"{CALLS}/{link_name}/proxy{path}")
        self.calls += times

        async def all_of_them(way: Any) -> list[Answered]:
            return await asyncio.gather(*(way.exchange(scope).run() for _ in range(times)))

        with self.path.with_threads(times) as way:
            return on_loop(all_of_them(way))


def _cut(body: bytes) -> list[bytes]:
    """Return a body in pieces, as a server receives it."""
    return [body[at : at + 65_536] for at in range(0, len(body), 65_536)]


def speaking(
    answer: bytes, asked: list[bytes] | None = None, times: int = 1
) -> Callable[[socket.socket], None]:
    """Read a request's head, remember it, answer; as often as ``times`` over one connection."""

    def speak(sock: socket.socket) -> None:
        for _ in range(times):
            head = b""
            while b"\r\n\r\n" not in head:
                if not (piece := sock.recv(65536)):
                    return
                head += piece
            if asked is not None:
                asked.append(head)
            sock.sendall(answer)

    return speak


def leading_to(listener: Any, settings: Any) -> None:
    """Let a listener be the sandbox of the catalogue."""
    settings.SANDBOX_URL = f"http://127.0.0.1:{listener.port}"
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}"]
    get_connectors.cache_clear()
