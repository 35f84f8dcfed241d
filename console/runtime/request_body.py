"""Read request bodies: size limit, time limit, and a check that the body is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any

from console.runtime.problem_details import Problem

PIECE = 64 * 1024
#: More than the largest file that can be uploaded (``console/transfer/importing.py``).
MOST_BYTES = 16 * 1024**2
IN_MEMORY_BYTES = 1024**2
#: The time limit of a body: this many seconds, and more for each byte that has arrived.
SECONDS = 20.0
BYTES_A_SECOND = 10_000
#: The WSGI environment's key for the :class:`Problem` with a body (``body_buffer.py``).
BODY_PROBLEM = "console.body_refused"
#: The key that is true if reading raises ``OSError`` where a body breaks off. For WSGI, granian
#: does not, and ends such a body like a complete one.
REPORTS_BROKEN_BODY = "console.reports_broken_body"


def deadline(began: float, received: int) -> float:
    """Return when the body is too slow, after so many bytes since ``began``."""
    return began + SECONDS + received / BYTES_A_SECOND


def length_of(environ: Mapping[str, Any]) -> int | None:
    """Return the length of the body, 0 if there is none, ``None`` if it is not known yet.

    Raise :class:`Problem` for an invalid Content-Length, and for a body without it where the
    server does not report bodies that break off.
    """
    declared = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ or (not declared and _may_have_undeclared_body(environ)):
        if not environ.get(REPORTS_BROKEN_BODY):
            raise Problem("length-required")
        return None
    if not declared:
        return 0
    if not (declared.isascii() and declared.isdigit()):
        raise Problem("request-invalid", "Content-Length is not a number.")
    return int(declared)


def pieces_of(stream: IO[bytes], length: int) -> Iterator[bytes]:
    """Read a body of that length; raise :class:`Problem` if it is shorter or too slow."""
    left = length
    while left > 0:
        piece = _read(stream, min(PIECE, left))
        if not piece:
            raise Problem("request-invalid", "The body is shorter than Content-Length says.")
        left -= len(piece)
        yield piece


def spooled(stream: IO[bytes], most: int) -> tuple[IO[bytes], int]:
    """Read a body of unknown length into a file; return the file and the length.

    The service receives it complete, with Content-Length, or not at all.
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


def _may_have_undeclared_body(environ: Mapping[str, Any]) -> bool:
    """Tell whether there may be a body without a header, as in HTTP/2 (RFC 9113 section 8.1)."""
    if not environ["SERVER_PROTOCOL"].startswith("HTTP/2"):
        return False
    return bool(environ.get(REPORTS_BROKEN_BODY) or environ["wsgi.input"].read(1))


def _read(stream: IO[bytes], size: int) -> bytes:
    try:
        return stream.read(size)
    except TimeoutError:
        raise Problem("request-timeout") from None
    except OSError:
        raise Problem("request-invalid", "The body broke off before its end.") from None
