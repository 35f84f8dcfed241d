"""Receive request bodies on the event loop: size limit, time limit, and whether they are whole.

A slow sender costs memory but no thread.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from connectors.errors import ServiceBusy
from connectors.http.bulkhead import BUSY_SECONDS, ConcurrencyLimit, bulkhead
from console.runtime.asgi_request import ClientDisconnected, Receive, next_piece
from console.runtime.concurrency_limits import proxied_body_limit
from console.runtime.problem_details import Problem

#: More than the largest file that can be uploaded (``console/transfer/importing.py``).
MOST_BYTES = 16 * 1024**2
IN_MEMORY_BYTES = 1024**2
#: Bodies up to this length are not counted: the limit of the calls themselves is enough.
SMALL_BYTES = 64 * 1024
#: The time limit of a body: this many seconds, and more for each byte that has arrived.
SECONDS = 20.0
BYTES_A_SECOND = 10_000
#: The WSGI environment's key for the :class:`Problem` with a body (``body_buffer.py``).
BODY_PROBLEM = "console.body_refused"


class RequestBody:
    """A body that is still arriving. ``received`` counts its bytes."""

    def __init__(self, receive: Receive, environ: Mapping[str, Any]) -> None:
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self.length = length_of(environ)
        self.received = 0
        self.is_over = self.length == 0

    async def next(self) -> bytes:
        """Receive a piece; raise :class:`Problem` if it is too slow or the body breaks off."""
        deadline = self._began + SECONDS + self.received / BYTES_A_SECOND
        try:
            async with asyncio.timeout_at(deadline):
                piece, self.is_over = await next_piece(self._receive)
        except TimeoutError:
            raise Problem("request-timeout") from None
        except ClientDisconnected:
            raise Problem("request-invalid", "The body broke off before its end.") from None
        self.received += len(piece)
        return piece

    async def start(self, enough: int) -> bytes:
        """Return the body, or its start if it is longer than ``enough`` bytes."""
        if self.is_over:
            return b""
        pieces: list[bytes] = []
        is_small = self.length is not None and self.length <= SMALL_BYTES
        with nullcontext() if is_small else body_permit(proxied_body_limit()):
            while not self.is_over and self.received <= enough:
                pieces.append(await self.next())
        return b"".join(pieces)

    async def rest(self, first: bytes, most: int) -> AsyncIterator[bytes]:
        """Yield ``first`` and then each piece as it arrives, up to ``most`` bytes in total."""
        yield first
        while not self.is_over:
            piece = await self.next()
            if self.received > most:
                raise too_large(most)
            yield piece


@contextmanager
def body_permit(*limits: ConcurrencyLimit) -> Iterator[None]:
    """Count a body that is being received, or raise :class:`Problem` if there are too many."""
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


def length_of(environ: Mapping[str, Any]) -> int | None:
    """Return the length of the body, 0 if there is none, ``None`` if it is not known yet.

    Raise :class:`Problem` for an invalid Content-Length.
    """
    if "HTTP_TRANSFER_ENCODING" in environ:
        return None
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared:  # a body of HTTP/2 needs no length (RFC 9113 section 8.1)
        return None if environ["SERVER_PROTOCOL"].startswith("HTTP/2") else 0
    if not (declared.isascii() and declared.isdigit()):
        raise Problem("request-invalid", "Content-Length is not a number.")
    return int(declared)


def too_large(most: int) -> Problem:
    return Problem("request-too-large", f"The body is larger than {most / 1024**2:g} MiB.")
