"""Pictures keep their pixels, and nothing else that was in the file."""

from __future__ import annotations

import struct
import zlib

import pytest

from console.distribution.pictures import MAX_BYTES, InvalidPicture, sanitize

SECRET = b"hidden-7d1f"


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 80, height: int = 70, *more: bytes) -> bytes:
    pixels = zlib.compress(b"".join(b"\0" + b"\x20\x40\x60" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", head), *more, chunk(b"IDAT", pixels), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(width: int = 80, height: int = 70) -> bytes:
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\xff\x00\x34\xff\xd0\x56"
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\0" + SECRET)
        + segment(0xE1, b"Exif\0\0" + SECRET)
        + segment(0xFE, SECRET)
        + segment(0xDB, b"\0" * 65)
        + segment(0xC0, frame)
        + scan
        + b"\xff\xd9"
    )


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


LOSSLESS = b"\x2f" + struct.pack("<I", (80 - 1) | (70 - 1) << 14) + b"pixels"
EXTENDED = bytes([0x2C, 0, 0, 0]) + (79).to_bytes(3, "little") + (69).to_bytes(3, "little")


def test_of_a_png_only_pixels_stay():
    picture = sanitize(png(80, 70, chunk(b"tEXt", SECRET), chunk(b"eXIf", SECRET)) + SECRET)
    assert picture.content == png()
    assert (picture.media_type, picture.width, picture.height) == ("image/png", 80, 70)


def test_of_a_jpeg_only_pixels_stay():
    picture = sanitize(jpeg() + SECRET)
    assert SECRET not in picture.content
    assert b"\x12\xff\x00\x34\xff\xd0\x56" in picture.content
    assert picture.content.endswith(b"\xff\xd9")
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 80, 70)


def test_of_a_webp_only_pixels_stay():
    picture = sanitize(
        webp((b"VP8X", EXTENDED), (b"VP8L", LOSSLESS), (b"EXIF", SECRET), (b"XMP ", SECRET))
        + SECRET
    )
    flagless = b"\0" + EXTENDED[1:]
    assert picture.content == webp((b"VP8X", flagless), (b"VP8L", LOSSLESS))
    assert (picture.media_type, picture.width, picture.height) == ("image/webp", 80, 70)


@pytest.mark.parametrize("make", [png, jpeg, lambda: webp((b"VP8L", LOSSLESS))])
def test_what_is_cut_off_anywhere_is_refused(make):
    whole = make()
    for length in range(len(whole) - 1):
        with pytest.raises(InvalidPicture):
            sanitize(whole[:length])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>",
        b"GIF89a" + bytes(100),
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBP",
    ],
)
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(InvalidPicture):
        sanitize(content)


@pytest.mark.parametrize("size", [(63, 80), (80, 63), (4097, 80)])
def test_sides_have_limits(size):
    with pytest.raises(InvalidPicture, match="Each side must have"):
        sanitize(png(*size))


def test_moving_pictures_are_refused():
    with pytest.raises(InvalidPicture, match="Animated images are not supported"):
        sanitize(png(80, 70, chunk(b"acTL", bytes(8))))
    moving = b"\x02" + EXTENDED[1:]
    with pytest.raises(InvalidPicture, match="Animated images are not supported"):
        sanitize(webp((b"VP8X", moving), (b"VP8L", LOSSLESS)))


def test_a_wrong_checksum_is_refused():
    content = bytearray(png())
    content[-20] ^= 1
    with pytest.raises(InvalidPicture, match="damaged"):
        sanitize(bytes(content))


def test_a_large_file_is_refused():
    with pytest.raises(InvalidPicture, match="larger than 1 MB"):
        sanitize(bytes(MAX_BYTES + 1))
