"""Build small PNG, JPEG and WebP files with metadata in them."""

from __future__ import annotations

import struct
import zlib

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
