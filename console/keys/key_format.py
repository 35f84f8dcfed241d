"""The format of API keys: ``dc_dev_<id>_<secret><checksum>``, in base 62.

The ID (10 characters) finds the row, the secret (43) is 256 random bits, the checksum (6) is
the CRC-32 of everything before it, so that mistyped and invented keys are refused without a
query. Secret scanners find keys by ``PATTERN``.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass, field

from console.choices import Environment

PREFIXES = {
    Environment.DEVELOPMENT: "dc_dev",
    Environment.STAGE: "dc_stage",
    Environment.PRODUCTION: "dc_prod",
}
PATTERN = r"dc_(?:dev|stage|prod)_[0-9A-Za-z]{10}_[0-9A-Za-z]{49}"

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_WHOLE = re.compile(PATTERN, re.ASCII)
_ID, _SECRET, _CHECKSUM = 10, 43, 6


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A new key: its text, which is not stored, and its prefix and digest, which are."""

    text: str = field(repr=False)
    prefix: str
    digest: str


def generate_key(environment: str) -> NewKey:
    """Generate a key from 256 random bits."""
    prefix = f"{PREFIXES[Environment(environment)]}_{_base62(secrets.randbits(59), _ID)}"
    body = f"{prefix}_{_base62(secrets.randbits(256), _SECRET)}"
    text = body + _checksum(body)
    return NewKey(text=text, prefix=prefix, digest=digest_of(text))


def prefix_of(text: str) -> str | None:
    """Return the prefix that finds the row of a key, or ``None`` if the text is not a key."""
    if not _WHOLE.fullmatch(text) or _checksum(text[:-_CHECKSUM]) != text[-_CHECKSUM:]:
        return None
    return text.rpartition("_")[0]


def digest_of(text: str) -> str:
    """Return the SHA-256 of a key; 256 random bits need no slower hash."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def contains_key(text: str) -> bool:
    """Tell whether a text contains a key."""
    return "dc_" in text and _WHOLE.search(text) is not None


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM)


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
