"""The body of a request: how long it may be, how long it may take, and that it is whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from console.runtime.problem_details import Problem

PIECE = 64 * 1024
#: More than the largest file that a page takes (``console/transfer/importing.py``).
MOST_BYTES = 16 * 1024**2
IN_MEMORY_BYTES = 1024**2
#: For the first byte, and then as many more as these make seconds.
SECONDS = 20.0
BYTES_A_SECOND = 10_000
#: The key of an environment under which the problem with its body is (``body_buffer.py``).
REFUSED = "console.body_refused"
#: The key under which it is true that reading raises ``OSError`` where a body breaks off. granian
#: does not do so for WSGI, and ends such a body like one that is whole.
BREAKS_ARE_TOLD = "console.breaks_are_told"


def until(began: float, received: int) -> float:
    """Return when a body that began then has come too slowly, having come so far."""
    return began + SECONDS + received / BYTES_A_SECOND


def length_of(environ: Mapping[str, Any]) -> int | None:
    """Return how long the body is, 0 where there is none, ``None`` where nobody has said it.

    Raise :class:`Problem` for a length that is none, and for a body without one where the
    server does not tell its end from a sender that went away.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ or (not declared and _may_come_unsaid(environ)):
        if not environ.get(BREAKS_ARE_TOLD):
            raise Problem("length-required")
        return None
    if not declared:
        return 0
    if not (declared.isascii() and declared.isdigit()):
        raise Problem("request-invalid", "Content-Length is not a number.")
    return int(declared)


def pieces_of(stream: IO[bytes], length: int) -> Iterator[bytes]:
    """Read a body of that length; raise :class:`Problem` where it is shorter, or too slow."""
    left = length
    while left > 0:
        piece = _read(stream, min(PIECE, left))
        if not piece:
            raise Problem("request-invalid", "The body is shorter than Content-Length says.")
        left -= len(piece)
        yield piece


def spooled(stream: IO[bytes], most: int) -> tuple[IO[bytes], int]:
    """Read a body of unknown length to its end; return a file that holds it, and its length.

    So it reaches the service whole, with its length, or not at all.
    """
    file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  (the caller closes it)
    try:
        while piece := _read(stream, PIECE):
            file.write(piece)
            if file.tell() > most:
                raise too_large(most)
    except BaseException:
        file.close()
        raise
    length = file.tell()
    file.seek(0)
    return file, length


def too_large(most: int) -> Problem:
    return Problem("request-too-large", f"The body is larger than {most / 1024**2:g} MiB.")


def _may_come_unsaid(environ: Mapping[str, Any]) -> bool:
    """Tell whether there may be a body without a header: HTTP/2 needs none (RFC 9113, 8.1)."""
    if not environ["SERVER_PROTOCOL"].startswith("HTTP/2"):
        return False
    return bool(environ.get(BREAKS_ARE_TOLD) or environ["wsgi.input"].read(1))


def _read(stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    except TimeoutError:
        raise Problem("request-timeout") from None
    except OSError:
        raise Problem("request-invalid", "The body broke off before its end.") from None
