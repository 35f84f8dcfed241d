"""Decode the content codings gzip and deflate (RFC 9110 section 8.4.1), a bounded piece at a time.

The console asks for ``identity``, but some services compress anyway. A few hundred bytes can
decode to gigabytes, so at most :data:`PIECE` bytes are decoded at a time; the caller stops at a
limit. Several codings on top of each other are rejected: each multiplies the expansion, and no
service needs them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

PIECE = 65536

_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"


class UnsupportedCoding(ValueError):
    """A content coding, or several at once, that is not supported; the message is its name."""


class InvalidCompression(ValueError):
    """Compressed data that is invalid or incomplete."""


def parse_content_encoding(header: str) -> list[str]:
    """Parse ``Content-Encoding``; ``identity`` is left out."""
    names = (coding.strip().lower() for coding in header.split(","))
    return [coding for coding in names if coding not in ("", "identity")]


class Decoder:
    """Decodes one response: pass each part to :meth:`pieces`, then call :meth:`finish`."""

    def __init__(self, header: str) -> None:
        names = parse_content_encoding(header)
        if len(names) > 1 or names[:1] not in ([], ["gzip"], ["x-gzip"], ["deflate"]):
            raise UnsupportedCoding(", ".join(names))
        self._is_gzip = names[:1] in (["gzip"], ["x-gzip"])
        self.decodes = bool(names)
        self._stream = zlib.decompressobj(_GZIP if self._is_gzip else _ZLIB)
        self._start = b""  # of deflate: too short to know whether it has a header
        self._has_begun = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what ``data`` decodes to, in pieces of at most :data:`PIECE` bytes."""
        if not self.decodes:
            yield data
            return
        if not self._has_begun:
            self._start += data
            if len(self._start) < 2:
                return
            self._begin(self._start[:2])
            data, self._start = self._start, b""
        full = False
        while data or full:
            if self._stream.eof:
                if not self._is_gzip or not data.startswith(_GZIP_MAGIC):
                    return  # padding after the last gzip member is ignored
                self._stream = zlib.decompressobj(_GZIP)
            try:
                decoded = self._stream.decompress(data, PIECE)
            except zlib.error:
                raise InvalidCompression("it does not match the coding that it names") from None
            if decoded:
                yield decoded
            data = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
            # zlib may have read all input and still hold output that did not fit.
            full = len(decoded) == PIECE and not self._stream.eof

    def finish(self) -> None:
        """Raise :class:`InvalidCompression` if the response ended within the compressed data."""
        if self._start or (self._has_begun and not self._stream.eof):
            raise InvalidCompression("it ends too early")

    def _begin(self, start: bytes) -> None:
        """Choose the format; some services send ``deflate`` without the header of RFC 1950."""
        self._has_begun = True
        has_header = start[0] & 0x0F == 8 and int.from_bytes(start, "big") % 31 == 0
        if not self._is_gzip and not has_header:
            self._stream = zlib.decompressobj(_RAW)
