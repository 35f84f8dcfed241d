"""Validate pictures for the marketplace and remove their metadata.

PNG (ISO/IEC 15948), JPEG (ITU-T T.81) and WebP (RFC 9649) files are split into chunks or
segments, and rebuilt from those that are needed to show the picture. Text, locations, previews
and any data after the end are dropped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 1024 * 1024
MIN_SIDE, MAX_SIDE = 64, 4096

_PNG = b"\x89PNG\r\n\x1a\n"
#: Size, colors, transparency and color space.
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB"}
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH"}
#: Flags of VP8X: animation; ICC profile, Exif and XMP, which are dropped.
_ANIMATED, _DROPPED = 0x02, 0x20 | 0x08 | 0x04
#: Frame headers of Huffman-coded DCT pictures, baseline and progressive.
_FRAMES = {0xC0, 0xC1, 0xC2}
#: Tables, restart intervals, scans, and the color transform of Adobe (APP14).
_JPEG_KEPT = {*_FRAMES, 0xC4, 0xDB, 0xDD, 0xDA, 0xEE}


class InvalidPicture(ValueError):
    """The file is not an accepted picture; the message is shown to the user."""


@dataclass(frozen=True, kw_only=True)
class SanitizedPicture:
    """A picture without metadata; sides are in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


def sanitize(content: bytes) -> SanitizedPicture:
    """Return a picture without metadata; raise :class:`InvalidPicture`."""
    if len(content) > MAX_BYTES:
        raise InvalidPicture("The picture is larger than 1 MB. Choose a smaller one.")
    try:
        if content.startswith(_PNG):
            picture = _png(content)
        elif content.startswith(b"\xff\xd8\xff"):
            picture = _jpeg(content)
        elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            picture = _webp(content)
        else:
            raise InvalidPicture("This file is not a PNG, JPEG or WebP picture.")
    except (struct.error, IndexError, zlib.error):
        raise InvalidPicture(
            "The picture is damaged. Save it again and choose the new file."
        ) from None
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (picture.width, picture.height)):
        raise InvalidPicture(
            f"The picture is {picture.width} by {picture.height} pixels. Each side must have "
            f"{MIN_SIDE} to {MAX_SIDE} pixels."
        )
    return picture


def _png(content: bytes) -> SanitizedPicture:
    parts, position = [_PNG], len(_PNG)
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        length, name = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        data = content[position + 8 : end - 4]
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(name + data) != checksum:
            raise zlib.error
        if name == b"acTL":
            raise InvalidPicture("Animated images are not supported. Choose a still image.")
        names.append(name)
        if name in _PNG_KEPT:
            parts.append(content[position:end])
        position = end
    if names[0] != b"IHDR" or b"IDAT" not in names:
        raise zlib.error
    width, height = struct.unpack_from(">II", content, len(_PNG) + 8)
    return SanitizedPicture(
        content=b"".join(parts), media_type="image/png", width=width, height=height
    )


def _jpeg(content: bytes) -> SanitizedPicture:
    parts, position, size, scans = [b"\xff\xd8"], 2, (0, 0), 0
    while True:
        if content[position] != 0xFF:
            raise zlib.error
        marker = content[position + 1]
        if marker == 0xFF:  # fill bytes may precede a marker
            position += 1
            continue
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", content, position + 2)
        end = position + 2 + length
        if length < 2 or end > len(content):
            raise zlib.error
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, position + 5)
            size = (width, height)
        if marker == 0xDA:
            scans += 1
            end = _end_of_scan(content, end)
        if marker in _JPEG_KEPT:
            parts.append(content[position:end])
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            raise zlib.error
        position = end
    if not scans:
        raise zlib.error
    parts.append(b"\xff\xd9")
    return SanitizedPicture(
        content=b"".join(parts), media_type="image/jpeg", width=size[0], height=size[1]
    )


def _end_of_scan(content: bytes, position: int) -> int:
    """Find the marker after the coded data, which may contain stuffed zeros and restart markers."""
    while True:
        position = content.find(b"\xff", position)
        if position < 0:
            raise zlib.error
        after = content[position + 1]
        if after not in (0x00, 0xFF) and not 0xD0 <= after <= 0xD7:
            return position
        position += 2 if after != 0xFF else 1


def _webp(content: bytes) -> SanitizedPicture:
    parts, size = [], (0, 0)
    for name, data in _chunks(content):
        if name == b"VP8X":
            if data[0] & _ANIMATED:
                raise InvalidPicture("Animated images are not supported. Choose a still image.")
            size = (_int24(data, 4) + 1, _int24(data, 7) + 1)
            data = bytes([data[0] & ~_DROPPED]) + data[1:]
        elif name == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", data, 6)
            size = (width & 0x3FFF, height & 0x3FFF)
        elif name == b"VP8L" and data[:1] == b"\x2f":
            (bits,) = struct.unpack_from("<I", data, 1)
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        if name in _WEBP_KEPT:
            parts.append(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))
    if not any(part[:4] in (b"VP8 ", b"VP8L") for part in parts):
        raise zlib.error
    body = b"WEBP" + b"".join(parts)
    return SanitizedPicture(
        content=b"RIFF" + struct.pack("<I", len(body)) + body,
        media_type="image/webp",
        width=size[0],
        height=size[1],
    )


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    (length,) = struct.unpack_from("<I", content, 4)
    position, end = 12, 8 + length
    if end > len(content):
        raise zlib.error
    while position < end:
        name, size = struct.unpack_from("<4sI", content, position)
        if position + 8 + size > end:
            raise zlib.error
        yield name, content[position + 8 : position + 8 + size]
        position += 8 + size + size % 2


def _int24(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")
