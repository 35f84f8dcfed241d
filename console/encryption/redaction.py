"""Hide secrets in what is shown, in every spelling in which a service may echo them."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from connectors.api.auth_strategies import Signed

MASK = "•••"
#: Shorter words are no secrets to anybody, and stand by chance in every answer.
_LEAST = 4


class Mask:
    """Replaces what it was told to hide; more can be added at any time."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()

    def __repr__(self) -> str:
        return "<Mask>"

    def hide(self, values: Iterable[str]) -> None:
        """Hide these values from now on."""
        for value in values:
            if len(value) >= _LEAST:
                self._hidden.update(_spellings(value))

    def __call__(self, text: str) -> str:
        """Return the text without them."""
        for hidden in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(hidden, MASK)
        return text

    def finds(self, text: str) -> bool:
        """Tell whether the text holds any of them."""
        for hidden in self._hidden:  # noqa: SIM110  (each call asks this, and any() costs more)
            if hidden in text:
                return True
        return False


def mask_of(secret: Mapping[str, str], public: Iterable[str], signed: Signed) -> Mask:
    """Return what hides a credential: its fields, but those named as ``public``, and its signature.

    Of a signature of several words, such as ``Bearer <token>``, each word but the first counts.
    """
    mask = Mask()
    mask.hide(value for name, value in secret.items() if name not in set(public))
    for value in (*signed.headers.values(), *signed.params.values()):
        mask.hide([value, *value.split()[1:]])
    return mask


def _spellings(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "replace")
    in_json = json.dumps(value)[1:-1]
    yield value
    yield html.escape(value)
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield quoted
        yield re.sub("%..", lambda code: code[0].lower(), quoted)
    for escaped in (in_json, json.dumps(value, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")
    for encoded in (b64encode(raw).decode(), urlsafe_b64encode(raw).decode()):
        yield encoded
        yield encoded.rstrip("=")
        yield quote(encoded, safe="")
