"""Receive request bodies on the event loop, before a thread takes the request.

Pages and the runtime API get a complete body, in memory or in a temporary file. A proxied call
gets the start of the body and reads the rest once its key is verified. A slow sender costs
memory but no thread, and has the time limit of ``request_body.py``.
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
from console.runtime.concurrency_limits import body_limits
from console.runtime.problem_details import Problem
from console.runtime.proxy_app import match_proxy_url
from console.runtime.request_body import (
    BODY_PROBLEM,
    IN_MEMORY_BYTES,
    MOST_BYTES,
    PIECE,
    REPORTS_BROKEN_BODY,
    deadline,
    length_of,
    too_large,
)
from console.server.threaded_wsgi import Environ, Receive, next_piece


async def receive_body(environ: Environ, receive: Receive) -> None:
    """Put the body into ``wsgi.input``, or the :class:`Problem` with it into ``BODY_PROBLEM``.

    Raise :class:`~console.server.threaded_wsgi.ClientDisconnected`.
    """
    environ["wsgi.input"], environ[REPORTS_BROKEN_BODY] = io.BytesIO(), True
    try:
        with _within(*body_limits(environ)):
            read = _receive_start if match_proxy_url(environ) else _receive_all
            environ["wsgi.input"] = await read(environ, receive)
    except Problem as problem:
        environ[BODY_PROBLEM] = problem


class BodyReader(io.RawIOBase):
    """A body that is still arriving, read by a thread; ``first`` is what has arrived.

    Reading raises ``TimeoutError`` if it is too slow since it ``began`` (clock of the event
    loop), and ``ClientDisconnected``.
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
        async with asyncio.timeout_at(deadline(self._began, self._received)):
            return await next_piece(self._receive)


async def _receive_all(environ: Environ, receive: Receive) -> IO[bytes]:
    """Return a complete body, and set ``CONTENT_LENGTH`` to its length."""
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


async def _receive_start(environ: Environ, receive: Receive) -> IO[bytes]:
    """Return a body for a thread to read; a small one has already arrived."""
    length_of(environ)
    file, began = io.BytesIO(), asyncio.get_running_loop().time()
    if await _receive_into(file, receive, enough=PIECE):
        file.seek(0)
        return file
    return io.BufferedReader(BodyReader(file.getvalue(), receive, began=began), PIECE)


async def _receive_into(
    file: IO[bytes], receive: Receive, *, most: int | None = None, enough: int | None = None
) -> bool:
    """Write the body to a file up to its end or ``enough`` bytes; tell whether it has ended."""
    loop, received = asyncio.get_running_loop(), 0
    began = loop.time()
    while enough is None or received < enough:
        try:
            async with asyncio.timeout_at(deadline(began, received)):
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
def _within(*limits: ConcurrencyLimit) -> Iterator[None]:
    """Count a body against these limits, or raise :class:`Problem`."""
    try:
        bulkhead.enter(*limits)
    except ServiceBusy:
        raise Problem(
            "console-busy",
            "The console is receiving too many requests. Nothing was done. Try again in a moment.",
            headers={"Retry-After": str(random.randint(*BUSY_SECONDS))},  # noqa: S311
        ) from None
    try:
        yield
    finally:
        bulkhead.leave(*limits)
