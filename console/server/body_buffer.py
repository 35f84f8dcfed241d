"""Await the body of a request on the event loop, before a thread takes the request.

A page or the runtime API gets a whole body, kept in memory or in a temporary file. A call
through a connection gets the beginning and reads the rest once its key is known. A sender who
is slow costs memory, but no thread, and is not waited for longer than ``request_body`` says.
"""

from __future__ import annotations

import asyncio
import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from connectors.errors import ServiceBusy
from connectors.http.bulkhead import BUSY_SECONDS, ConcurrencyLimit, bulkhead
from console.runtime.problem_details import Problem
from console.runtime.proxy_app import proxied
from console.runtime.request_body import (
    BREAKS_ARE_TOLD,
    IN_MEMORY_BYTES,
    MOST_BYTES,
    PIECE,
    REFUSED,
    length_of,
    too_large,
    until,
)
from console.runtime.thread_shares import of_readers
from console.server.threaded_wsgi import Environ, Receive, next_piece


async def receive_body(environ: Environ, receive: Receive) -> None:
    """Put the body into ``wsgi.input``, or the :class:`Problem` with it into ``REFUSED``.

    Raise :class:`console.server.threaded_wsgi.RequestBrokeOff` where the sender has gone away.
    """
    environ["wsgi.input"], environ[BREAKS_ARE_TOLD] = io.BytesIO(), True
    try:
        with _counted(*of_readers(environ)):
            read = _beginning if proxied(environ) else _whole
            environ["wsgi.input"] = await read(environ, receive)
    except Problem as problem:
        environ[REFUSED] = problem


class BodyReader(io.RawIOBase):
    """A body that is still coming, read by a thread: ``first`` is what has come.

    Reading raises ``TimeoutError`` where it comes too slowly since it ``began``, by the clock
    of the event loop, and ``RequestBrokeOff`` where the sender has gone away.
    """

    def __init__(self, first: bytes, receive: Receive, *, began: float) -> None:
        self._pending, self._received = first, len(first)
        self._receive, self._began = receive, began
        self._loop = asyncio.get_running_loop()
        self._is_over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._pending and not self._is_over:
            coming = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            self._pending, self._is_over = coming.result()
            self._received += len(self._pending)
        piece = self._pending[: len(buffer)]
        self._pending = self._pending[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)

    async def _next(self) -> tuple[bytes, bool]:
        async with asyncio.timeout_at(until(self._began, self._received)):
            return await next_piece(self._receive)


async def _whole(environ: Environ, receive: Receive) -> IO[bytes]:
    """Return all of a body; from then on the environment says how long it is."""
    if (length_of(environ) or 0) > MOST_BYTES:
        raise too_large(MOST_BYTES)
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  (closed with the request)
    try:
        await _receive_into(file, receive, most=MOST_BYTES)
    except BaseException:
        file.close()
        raise
    if environ.pop("HTTP_TRANSFER_ENCODING", None) or "CONTENT_LENGTH" not in environ:
        environ["CONTENT_LENGTH"] = str(file.tell())
    file.seek(0)
    return file


async def _beginning(environ: Environ, receive: Receive) -> IO[bytes]:
    """Return a body to read in a thread: here already where it is small."""
    length_of(environ)
    file, began = io.BytesIO(), asyncio.get_running_loop().time()
    if await _receive_into(file, receive, enough=PIECE):
        file.seek(0)
        return file
    return io.BufferedReader(BodyReader(file.getvalue(), receive, began=began), PIECE)


async def _receive_into(
    file: IO[bytes], receive: Receive, *, most: int | None = None, enough: int | None = None
) -> bool:
    """Write what comes into a file, until its end or ``enough`` bytes; tell whether it ended."""
    loop, received = asyncio.get_running_loop(), 0
    began = loop.time()
    while enough is None or received < enough:
        try:
            async with asyncio.timeout_at(until(began, received)):
                piece, is_over = await next_piece(receive)
        except TimeoutError:
            raise Problem("request-timeout") from None
        received += len(piece)
        if most is not None and received > most:
            raise too_large(most)
        file.write(piece)
        if is_over:
            return True
    return False


@contextmanager
def _counted(*readers: ConcurrencyLimit) -> Iterator[None]:
    """Count a body among those that are awaited, or raise :class:`Problem`."""
    try:
        bulkhead.enter(*readers)
    except ServiceBusy:
        raise Problem(
            "console-busy",
            "The console is reading as many requests as it can just now. Nothing was done. Try "
            "again in a moment.",
            headers={"Retry-After": str(random.randint(*BUSY_SECONDS))},  # noqa: S311
        ) from None
    try:
        yield
    finally:
        bulkhead.leave(*readers)
