"""The console behind granian in the process of the tests, with their database and settings."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from granian.constants import Interfaces
from granian.server.embed import Server

from connectors.http.connection_pool import close_idle
from console.runtime.proxy_app import ProxyApplication
from console.server.body_buffer import receive_body
from console.server.threaded_wsgi import ThreadedWSGI
from tests.runtime.proxy.program import ClosingThreads
from tests.servers import free_port

THREADS = 4


@contextmanager
def served_in_process() -> Iterator[str]:
    """Yield the URL of the console; the test's data must be committed."""
    port, ready, over = free_port(), threading.Event(), threading.Event()

    def serve() -> None:
        asyncio.run(_serve(port, ready, over))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        ready.wait(10)
        _wait_for(port)
        yield f"http://localhost:{port}"
    finally:
        over.set()
        thread.join()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"Nothing listens at port {port}.")


def _django(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer as Django does, and close the database connections of this thread."""
    try:
        response = WSGIHandler()(environ, start_response)
        body = [b"".join(response)]
        response.close()
        return body
    finally:
        connections.close_all()


async def _serve(port: int, ready: threading.Event, over: threading.Event) -> None:
    pages = ThreadedWSGI(_django, threads=THREADS, receive_body=receive_body)
    application = ProxyApplication(pages, ClosingThreads("reads", 4), ClosingThreads("renewals", 8))
    logging.getLogger("_granian").setLevel(logging.ERROR)
    server = Server(
        application, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, websockets=True
    )
    serving = asyncio.create_task(server.serve())
    ready.set()
    while not over.is_set():
        await asyncio.sleep(0.02)
    close_idle()
    server.stop()
    await serving
