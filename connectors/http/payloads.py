"""Read what a service sent, whatever it sent: nothing here raises but ``ValueError``.

Services send numbers as words, forms where JSON was promised, and now and then
something hostile. Each function takes what came and gives a plain value, or says no.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import parse_qsl

TEN_YEARS = 10 * 365 * 24 * 3600

#: Far beyond any identifier, and short of the quadratic cost of huge integers.
_MAX_DIGITS = 40
_MAX_FIELDS = 100
#: A mebibyte of ``[],[],[]`` would take eighty of memory, and seconds.
MAX_VALUES = 150_000
#: A text in quotes, passed over once: a possessive quantifier gives nothing back.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_FORM = re.compile(rb"[A-Za-z0-9_.~%+*=&:/,!'()@$;?-]+")
#: What no database and no header takes: NUL and the halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_json(body: bytes, *, most_values: int = MAX_VALUES) -> object:
    """Read JSON and raise ``ValueError`` alone where it is none.

    NaN, infinities and integers of absurd length become ``None``; what cannot be stored in
    a string becomes U+FFFD; nesting beyond the interpreter's stack is refused, and so are more
    than ``most_values`` objects, lists, texts and numbers together.
    """
    if _values(body) > most_values and _values(_TEXT.sub(b"", body)) > most_values:
        raise ValueError("too many values")
    try:
        return _storable(
            json.loads(
                body.decode("utf-8-sig"),
                parse_constant=lambda name: None,
                parse_float=_finite,
                parse_int=lambda digits: int(digits) if len(digits) <= _MAX_DIGITS else None,
            )
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _values(body: bytes) -> int:
    """Count what begins a value: each bracket that opens, and each comma."""
    return sum(map(body.count, (b",", b"[", b"{")))


def parse_token_body(body: bytes) -> dict[str, object]:
    """Read a token answer, JSON or form-encoded, by its content and not by its header.

    Raise ``ValueError`` where it is neither.
    """
    text = body.strip()
    if _FORM.fullmatch(text) and b"=" in text:
        fields = parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        return {name: _UNSTORABLE.sub("\ufffd", value) for name, value in fields}
    document = parse_json(text)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def dig(document: object, dotted_path: str) -> object:
    """Follow a dotted path (``users.0.email``) and return what is there, or ``None``."""
    found = document
    for step in dotted_path.split(".") if dotted_path else ():
        if isinstance(found, Mapping):
            found = found.get(step)
        elif isinstance(found, list) and step.isascii() and step.isdigit():
            found = found[int(step)] if len(step) < 6 and int(step) < len(found) else None
        else:
            return None
    return found


def scalar(value: object) -> str:
    """Write a string or a number as text; anything else is the empty string."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def seconds(value: object) -> int | None:
    """Read a lifetime in seconds; ``None`` is an unknown lifetime.

    Nonsense is unknown, and so is nothing at all: a token that is dead on arrival says
    only that the service does not know either. Ten years is the most.
    """
    if isinstance(value, str):
        text = value.strip()
        value = float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    if value == math.inf:
        return None
    return int(max(0, min(value, TEN_YEARS))) or None


def words(text: object, limit: int = 200) -> str:
    """Make a service's text fit to be shown: one printable line, cut at ``limit``.

    Control characters become spaces; marks that steer the direction of the text or join
    letters invisibly are dropped.
    """
    if not isinstance(text, str):
        return ""
    # Cut first: a description of a megabyte is not worth reading letter by letter.
    printable = "".join(map(_printable, text[: limit * 10]))
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def split_scopes(value: object, separator: str = " ") -> tuple[str, ...]:
    """Read granted scopes: a list, or a string parted by spaces, commas or ``separator``."""
    if isinstance(value, str):
        value = re.split(rf"[\s,]|{re.escape(separator)}" if separator else r"[\s,]", value)
    if not isinstance(value, list):
        return ()
    cleaned = (words(scope, 300) for scope in value)
    return tuple(dict.fromkeys(scope for scope in cleaned if scope))


def has_failed(document: object, error_when: Mapping[str, str]) -> bool:
    """Tell whether an answer of status 200 is an error after all, as the connector says."""
    return any(
        _as_written(dig(document, path)) == expected.lower()
        for path, expected in error_when.items()
    )


def _as_written(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, bool) else scalar(value).lower()


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _storable(value: object) -> object:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("\ufffd", key): _storable(item) for key, item in value.items()}
    return value


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cf", "Cs", "Co", "Cn"}:
        return ""
    return " " if category[0] in "CZ" else character
