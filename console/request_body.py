"""The body of a request, before anything else looks at it.

Granian's ``wsgi.input.read`` waits for as long as the sender likes, and tells nobody when the
sender is gone: a body that broke off ends like one that is whole. So what has no length is
not taken, what is shorter than its length is an error, and what comes slowly is read by a
thread of its own, for which nobody waits longer than so much time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from threading import Event, Thread
from typing import IO, Any

from console.runtime.problems import Problem

PIECE = 64 * 1024
#: More than the largest file that a page takes (``console/transfer/importing.py``).
MOST_BYTES = 16 * 1024**2
IN_MEMORY_BYTES = 1024**2
#: For the first byte, and then as many more as these make seconds.
SECONDS = 20.0
BYTES_A_SECOND = 10_000


def length_of(environ: Mapping[str, Any]) -> int:
    """Return how long the body is, 0 where there is none; raise :class:`Problem`."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        raise Problem("length-required")
    declared = environ.get("CONTENT_LENGTH") or ""
    if not declared:
        # HTTP/2 needs no header for a body.
        if environ["SERVER_PROTOCOL"].startswith("HTTP/2") and environ["wsgi.input"].read(1):
            raise Problem("length-required")
        return 0
    if not (declared.isascii() and declared.isdigit()):
        raise Problem("request-invalid", "Content-Length is not a number.")
    return int(declared)


def pieces_of(stream: Any, length: int) -> Iterator[bytes]:
    """Read a body of that length; raise :class:`Problem` where it is shorter."""
    left = length
    while left > 0:
        piece = stream.read(min(PIECE, left))
        if not piece:
            raise Problem("request-invalid", "The body is shorter than Content-Length says.")
        left -= len(piece)
        yield piece


class Reading:
    """A body that is being read by a thread of its own; ``over`` is called at its end.

    The thread cannot be stopped: it ends when the sender goes on or goes away.
    """

    def __init__(self, stream: Any, length: int, over: Callable[[], None]) -> None:
        self._pieces, self._over = pieces_of(stream, length), over
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  (the view reads it)
        self._received = 0
        self._error: Exception | None = None
        self._done, self._abandoned = Event(), False
        self._began = time.monotonic()
        Thread(target=self._read, name="request-body", daemon=True).start()

    def arrives_within(self, seconds: float) -> bool:
        """Tell whether it is over so soon, whole or not."""
        return self._done.wait(seconds)

    def abandon(self) -> None:
        """Wait for it no longer."""
        self._abandoned = True

    def whole(self) -> IO[bytes]:
        """Wait for all of it and return a file, which its caller closes.

        Raise :class:`Problem` where it breaks off or takes too long.
        """
        while not self._done.is_set():
            lasts = SECONDS + self._received / BYTES_A_SECOND
            left = self._began + lasts - time.monotonic()
            if left <= 0:
                self.abandon()
                raise Problem("request-timeout")
            self._done.wait(left)
        if self._error is not None:
            raise self._error
        self._file.seek(0)
        return self._file

    def _read(self) -> None:
        try:
            for piece in self._pieces:
                self._file.write(piece)
                self._received += len(piece)
        except Exception as error:
            self._error = error
        finally:
            self._over()
            self._done.set()
            if self._abandoned or self._error:
                self._file.close()
