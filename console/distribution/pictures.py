"""Pictures for the marketplace: read strictly, and kept without anything that is no pixel.

PNG (ISO/IEC 15948), JPEG (ITU-T T.81) and WebP (RFC 9649) are taken apart into their parts,
and written anew of those that are needed to show them. Words, places, previews and whatever
hides behind the end are left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BYTES = 1024 * 1024
MIN_SIDE, MAX_SIDE = 64, 4096

_PNG = b"\x89PNG\r\n\x1a\n"
#: Size, colors, transparency, and how colors are meant.
_PNG_KEPT = {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB"}
_WEBP_KEPT = {b"VP8X", b"VP8 ", b"VP8L", b"ALPH"}
#: Of the flags of VP8X: animation, then what is left out (ICC profile, Exif, XMP).
_ANIMATED, _LEFT_OUT = 0x02, 0x20 | 0x08 | 0x04
#: Frame headers of Huffman-coded DCT pictures, baseline and progressive.
_FRAMES = {0xC0, 0xC1, 0xC2}
#: Tables, restart intervals and scans; of the applications' own parts Adobe's color transform.
_JPEG_KEPT = {*_FRAMES, 0xC4, 0xDB, 0xDD, 0xDA, 0xEE}


class InvalidPicture(ValueError):
    """It is not a picture that is taken here; the message is for people."""


@dataclass(frozen=True, kw_only=True)
class SanitizedPicture:
    """A picture as it is kept; sides are in pixels."""

    content: bytes
    media_type: str
    width: int
    height: int


def clean(content: bytes) -> SanitizedPicture:
    """Return a picture with nothing but pixels in it; raise :class:`InvalidPicture`."""
    if len(content) > MAX_BYTES:
        raise InvalidPicture("The picture is larger than 1 MB. Save a smaller one.")
    try:
        if content.startswith(_PNG):
            picture = _png(content)
        elif content.startswith(b"\xff\xd8\xff"):
            picture = _jpeg(content)
        elif content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            picture = _webp(content)
        else:
            raise InvalidPicture("Choose a PNG, JPEG or WebP picture: this file is none of them.")
    except (struct.error, IndexError, zlib.error):
        raise InvalidPicture("The picture is damaged. Save it anew and choose it again.") from None
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in (picture.width, picture.height)):
        raise InvalidPicture(
            f"The picture has {picture.width} by {picture.height} pixels. Each side must have from "
            f"{MIN_SIDE} to {MAX_SIDE}."
        )
    return picture


def _png(content: bytes) -> SanitizedPicture:
    parts, place = [_PNG], len(_PNG)
    names: list[bytes] = []
    while not names or names[-1] != b"IEND":
        length, name = struct.unpack_from(">I4s", content, place)
        end = place + 12 + length
        data = content[place + 8 : end - 4]
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(name + data) != checksum:
            raise zlib.error
        if name == b"acTL":
            raise InvalidPicture("The picture moves. Choose one that stands still.")
        names.append(name)
        if name in _PNG_KEPT:
            parts.append(content[place:end])
        place = end
    if names[0] != b"IHDR" or b"IDAT" not in names:
        raise zlib.error
    width, height = struct.unpack_from(">II", content, len(_PNG) + 8)
    return SanitizedPicture(content=b"".join(parts), media_type="image/png", width=width, height=height)


def _jpeg(content: bytes) -> SanitizedPicture:
    parts, place, size, scans = [b"\xff\xd8"], 2, (0, 0), 0
    while True:
        if content[place] != 0xFF:
            raise zlib.error
        marker = content[place + 1]
        if marker == 0xFF:  # fill bytes may stand before a marker
            place += 1
            continue
        if marker == 0xD9:
            break
        (length,) = struct.unpack_from(">H", content, place + 2)
        end = place + 2 + length
        if length < 2 or end > len(content):
            raise zlib.error
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", content, place + 5)
            size = (width, height)
        if marker == 0xDA:
            scans += 1
            end = _end_of_scan(content, end)
        if marker in _JPEG_KEPT:
            parts.append(content[place:end])
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            raise zlib.error
        place = end
    if not scans:
        raise zlib.error
    parts.append(b"\xff\xd9")
    return SanitizedPicture(
        content=b"".join(parts), media_type="image/jpeg", width=size[0], height=size[1]
    )


def _end_of_scan(content: bytes, place: int) -> int:
    """Find the marker after coded pixels; stuffed zeros and restarts belong to these."""
    while True:
        place = content.find(b"\xff", place)
        if place < 0:
            raise zlib.error
        after = content[place + 1]
        if after not in (0x00, 0xFF) and not 0xD0 <= after <= 0xD7:
            return place
        place += 2 if after != 0xFF else 1


def _webp(content: bytes) -> SanitizedPicture:
    parts, size = [], (0, 0)
    for name, data in _chunks(content):
        if name == b"VP8X":
            if data[0] & _ANIMATED:
                raise InvalidPicture("The picture moves. Choose one that stands still.")
            size = (_int24(data, 4) + 1, _int24(data, 7) + 1)
            data = bytes([data[0] & ~_LEFT_OUT]) + data[1:]
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
    place, end = 12, 8 + length
    if end > len(content):
        raise zlib.error
    while place < end:
        name, size = struct.unpack_from("<4sI", content, place)
        if place + 8 + size > end:
            raise zlib.error
        yield name, content[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _int24(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 3], "little")
