"""Uploaded pictures are validated, and their metadata is removed."""

from __future__ import annotations

import pytest

from console.distribution.pictures import MAX_BYTES, InvalidPicture, sanitize
from tests.distribution.picture_files import EXTENDED, LOSSLESS, SECRET, chunk, jpeg, png, webp


def test_it_removes_metadata_from_png():
    picture = sanitize(png(80, 70, chunk(b"tEXt", SECRET), chunk(b"eXIf", SECRET)) + SECRET)
    assert picture.content == png()
    assert (picture.media_type, picture.width, picture.height) == ("image/png", 80, 70)


def test_it_removes_metadata_from_jpeg():
    picture = sanitize(jpeg() + SECRET)
    assert SECRET not in picture.content
    assert b"\x12\xff\x00\x34\xff\xd0\x56" in picture.content
    assert picture.content.endswith(b"\xff\xd9")
    assert (picture.media_type, picture.width, picture.height) == ("image/jpeg", 80, 70)


def test_it_removes_metadata_from_webp():
    picture = sanitize(
        webp((b"VP8X", EXTENDED), (b"VP8L", LOSSLESS), (b"EXIF", SECRET), (b"XMP ", SECRET))
        + SECRET
    )
    flagless = b"\0" + EXTENDED[1:]
    assert picture.content == webp((b"VP8X", flagless), (b"VP8L", LOSSLESS))
    assert (picture.media_type, picture.width, picture.height) == ("image/webp", 80, 70)


@pytest.mark.parametrize("make", [png, jpeg, lambda: webp((b"VP8L", LOSSLESS))])
def test_it_refuses_truncated_files(make):
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
def test_it_refuses_other_files(content):
    with pytest.raises(InvalidPicture):
        sanitize(content)


@pytest.mark.parametrize("size", [(63, 80), (80, 63), (4097, 80)])
def test_it_refuses_pictures_that_are_too_small_or_too_large(size):
    with pytest.raises(InvalidPicture, match="Each side must have"):
        sanitize(png(*size))


def test_it_refuses_animated_pictures():
    with pytest.raises(InvalidPicture, match="Animated images are not supported"):
        sanitize(png(80, 70, chunk(b"acTL", bytes(8))))
    animated = b"\x02" + EXTENDED[1:]
    with pytest.raises(InvalidPicture, match="Animated images are not supported"):
        sanitize(webp((b"VP8X", animated), (b"VP8L", LOSSLESS)))


def test_it_refuses_a_wrong_checksum():
    content = bytearray(png())
    content[-20] ^= 1
    with pytest.raises(InvalidPicture, match="damaged"):
        sanitize(bytes(content))


def test_it_refuses_files_over_1_mb():
    with pytest.raises(InvalidPicture, match="larger than 1 MB"):
        sanitize(bytes(MAX_BYTES + 1))
