"""Measure calls that wait: their memory, and what they do to other calls, pages and streams.

The console has one worker. 1,000 programs wait for a service that answers after 30 seconds.
"""

from __future__ import annotations

import asyncio
import re
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import requests

from tests.bench.figures import Figure
from tests.bench.load import load
from tests.security.served_console import Served, filled, served

WAITING, SECONDS, EVENTS = 1_000, 30, 100
UPLOADS = (10_000_000, 1_000_000_000)
MEMORY_MIB, GROWN_MIB, UNDER_LOAD_MB = 40, 16, 150
P95_OF_OTHERS, MEDIAN_OF_PAGES, FIRST_BYTE_MS = 1.2, 1.5, 5
PAGE = "/accounts/login/"


def measured(variables: Mapping[str, str], folder: Path) -> Iterator[Figure]:
    """Measure one worker without and with waiting calls."""
    with _service() as url:
        kept = {
            name: variables[name] for name in variables.keys() - {"DATABASE_URL", "SANDBOX_URL"}
        }
        services = {"slow": url, "quick": url.replace("127.0.0.1", "localhost")}
        kept["PROXY_MAX_REQUEST_BYTES"] = str(2 * max(UPLOADS))
        environment, key = filled(folder, services, **kept)
        with served(environment, key, folder) as console:
            quick = console.address("quick", "quick")
            load(quick, key, seconds=3)  # warm
            yield Figure(
                name="memory of a worker under load",
                value=console.memory() / 1e6,
                unit="MB",
                aim=UNDER_LOAD_MB,
            )
            yield from _first_byte(console, url)
            for size in UPLOADS:
                yield _upload(console, size)
            alone = [_beside(console, quick) for _ in range(3)]
            before = console.memory()
            with _waiting(console, WAITING):
                grown = (console.memory() - before) / 1024**2
                together = [_beside(console, quick) for _ in range(3)]
    yield Figure(
        name=f"memory of {WAITING:,} calls that wait", value=grown, unit="MiB", aim=MEMORY_MIB
    )
    names = {"p95 of another service": P95_OF_OTHERS, "median of a page": MEDIAN_OF_PAGES}
    for position, (name, aim) in enumerate(names.items()):
        before_, during = (
            statistics.median(each[position] for each in rounds) for rounds in (alone, together)
        )
        yield Figure(
            name=f"{name} with : without {WAITING:,} calls that wait",
            value=during / before_,
            unit="ratio",
            aim=aim,
        )


def _beside(console: Served, quick: str) -> tuple[float, float]:
    """Return the p95 of calls and the median of a page, in milliseconds."""
    p95 = load(quick, console.key, connections=4).p95
    took = []
    with requests.Session() as session:
        for _ in range(100):
            began = time.perf_counter()
            session.get(console.url + PAGE, timeout=60).raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
    return p95, statistics.median(took)


def _first_byte(console: Served, service: str) -> Iterator[Figure]:
    """Compare when an event is sent with when the program has it; each event says when."""
    late = []
    with requests.get(
        console.address("quick", "events"), headers=console.headers, stream=True, timeout=60
    ) as answer:
        for line in answer.iter_lines(chunk_size=1):
            if line:
                late.append((time.time() - float(line.removeprefix(b"data: "))) * 1000)
    if len(late) != EVENTS:
        raise RuntimeError(f"{service} sent {EVENTS} events, and {len(late)} arrived.")
    yield Figure(
        name="event of a stream: median delay",
        value=statistics.median(late),
        unit="ms",
        aim=FIRST_BYTE_MS,
    )


def _upload(console: Served, size: int) -> Figure:
    """Send a large body and measure how much the worker's memory grows."""
    before = console.memory()
    console.forget_peak()
    parts = urlsplit(console.address("quick", "upload"))
    head = f"PUT {parts.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {console.key}"
    piece = bytes(1_000_000)
    with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=60) as caller:
        caller.sendall(f"{head}\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size // len(piece)):
            caller.sendall(piece)
        answer = caller.recv(65_536)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"The upload was answered: {answer[:500]!r}")
    return Figure(
        name=f"memory growth for a request of {size // 1_000_000:,} MB",
        value=(console.memory("VmHWM") - before) / 1024**2,
        unit="MiB",
        aim=GROWN_MIB,
    )


@contextmanager
def _waiting(console: Served, number: int) -> Iterator[None]:
    """Let so many calls wait for the service while the block runs."""
    parts = urlsplit(console.address("slow", "slow"))
    head = f"GET {parts.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {console.key}"
    request = f"{head}\r\n\r\n".encode()
    callers = []
    try:
        for _ in range(number):
            callers.append(socket.create_connection(("127.0.0.1", parts.port or 80), timeout=10))
            callers[-1].sendall(request)
        time.sleep(3)
        yield
        answered = [caller for caller in callers if _has_answer(caller)]
        if answered:
            raise RuntimeError(f"{len(answered)} calls did not wait: {answered[0].recv(500)!r}")
    finally:
        for caller in callers:
            caller.close()


def _has_answer(caller: socket.socket) -> bool:
    caller.setblocking(False)
    try:
        return bool(caller.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False


async def _discard(reader: asyncio.StreamReader, length: int) -> None:
    while length > 0:
        length -= len(await reader.read(65_536))


@contextmanager
def _service() -> Iterator[str]:
    """A service on an event loop, as a thread for each call would cost more than the console."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                if length := re.search(rb"(?i)content-length: (\d+)", head):
                    await _discard(reader, int(length[1]))
                if b"/slow " in head:
                    await asyncio.sleep(SECONDS)
                if b"/events " in head:
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                        b"Connection: close\r\n\r\n"
                    )
                    for _ in range(EVENTS):
                        await asyncio.sleep(0.02)
                        writer.write(b"data: %f\n\n" % time.time())
                        await writer.drain()
                    return
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(answer, "127.0.0.1", 0, backlog=4096))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
