"""Redact secrets in text that people see, in every encoding in which a service may echo them."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import quote, quote_plus

from connectors.api.auth_strategies import Signed

REDACTED = "•••"
#: Shorter values are not secret, and they occur by chance in most texts.
_MIN_LENGTH = 4


class Redactor:
    """Replaces known secrets in text; more secrets can be added at any time."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()

    def __repr__(self) -> str:
        return "<Redactor>"

    def hide(self, values: Iterable[str]) -> None:
        """Redact these values, too."""
        for value in values:
            if len(value) >= _MIN_LENGTH:
                self._hidden.update(_encodings(value))

    @property
    def needles(self) -> list[str]:
        """Return what the redactor looks for: the secrets in all their encodings."""
        return sorted(self._hidden)

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced."""
        for hidden in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(hidden, REDACTED)
        return text

    def finds(self, text: str) -> bool:
        """Tell whether the text contains a secret."""
        for hidden in self._hidden:  # noqa: SIM110  (runs in every call, and any() is slower)
            if hidden in text:
                return True
        return False


def redactor_for(secret: Mapping[str, str], public: Iterable[str], signed: Signed) -> Redactor:
    """Return a redactor for a credential's fields, except ``public`` ones, and its signature.

    In a signature of several words, such as ``Bearer <token>``, every word but the first is secret.
    """
    redactor = Redactor()
    redactor.hide(value for name, value in secret.items() if name not in set(public))
    for value in (*signed.headers.values(), *signed.params.values()):
        redactor.hide([value, *value.split()[1:]])
    return redactor


def _encodings(value: str) -> Iterator[str]:
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
