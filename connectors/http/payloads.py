"""Parse data from services safely: JSON, forms, lifetimes, scopes and texts.

Services send numbers as strings, forms instead of JSON, and sometimes hostile data. The functions
here raise nothing but ``ValueError``.
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
#: One MiB of ``[],[],[]`` would take 80 MiB of memory, and seconds to parse.
MAX_VALUES = 150_000
#: A quoted string; the possessive quantifiers never backtrack.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)', re.DOTALL)
_NUMBER = re.compile(r"\d{1,20}(\.\d{1,20})?", re.ASCII)
_FORM = re.compile(rb"[A-Za-z0-9_.~%+*=&:/,!'()@$;?-]+")
#: Characters that databases and headers do not accept: NUL and lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def parse_json(body: bytes, *, max_values: int = MAX_VALUES) -> object:
    """Parse JSON; raise ``ValueError`` if it is not valid.

    NaN, infinities and very long integers become ``None``. Characters that cannot be stored become
    U+FFFD. Too deep nesting, and more than ``max_values`` values in total, are errors.
    """
    if _count_values(body) > max_values and _count_values(_TEXT.sub(b"", body)) > max_values:
        raise ValueError("too many values")
    try:
        return _make_storable(
            json.loads(
                body.decode("utf-8-sig"),
                parse_constant=lambda name: None,
                parse_float=_finite,
                parse_int=lambda digits: int(digits) if len(digits) <= _MAX_DIGITS else None,
            )
        )
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _count_values(body: bytes) -> int:
    """Estimate the number of values: each opening bracket and each comma begins one."""
    return sum(map(body.count, (b",", b"[", b"{")))


def parse_token_body(body: bytes) -> dict[str, object]:
    """Parse a token response, JSON or form-encoded; the content decides, not ``Content-Type``.

    Raise ``ValueError`` if it is neither.
    """
    text = body.strip()
    if _FORM.fullmatch(text) and b"=" in text:
        fields = parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
        return {name: _UNSTORABLE.sub("\ufffd", value) for name, value in fields}
    document = parse_json(text)
    if not isinstance(document, dict):
        raise ValueError("not an object")
    return document


def value_at(document: object, dotted_path: str) -> object:
    """Return the value at a dotted path (``users.0.email``), or ``None``."""
    value = document
    for step in dotted_path.split(".") if dotted_path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdigit():
            value = value[int(step)] if len(step) < 6 and int(step) < len(value) else None
        else:
            return None
    return value


def as_text(value: object) -> str:
    """Return a string or number as text; an empty string for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)


def parse_lifetime(value: object) -> int | None:
    """Parse a lifetime in seconds; ``None`` if it is unknown.

    Invalid values and 0 are unknown: a token that expires at once only shows that the service does
    not know either. The maximum is ten years.
    """
    if isinstance(value, str):
        text = value.strip()
        value = float(text) if _NUMBER.fullmatch(text) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        return None
    if value == math.inf:
        return None
    return int(max(0, min(value, TEN_YEARS))) or None


def printable_line(text: object, limit: int = 200) -> str:
    """Return a service's text as one printable line of at most ``limit`` characters.

    Control characters become spaces; invisible formatting characters are removed.
    """
    if not isinstance(text, str):
        return ""
    # Cut first: a text of a megabyte would take long.
    printable = "".join(map(_printable, text[: limit * 10]))
    line = " ".join(printable.split())
    return line if len(line) <= limit else f"{line[: limit - 1].rstrip()}…"


def split_scopes(value: object, separator: str = " ") -> tuple[str, ...]:
    """Parse scopes: a list, or a string separated by spaces, commas or ``separator``."""
    if isinstance(value, str):
        value = re.split(rf"[\s,]|{re.escape(separator)}" if separator else r"[\s,]", value)
    if not isinstance(value, list):
        return ()
    cleaned = (printable_line(scope, 300) for scope in value)
    return tuple(dict.fromkeys(scope for scope in cleaned if scope))


def is_error(document: object, error_when: Mapping[str, str]) -> bool:
    """Return whether a response with status 200 is an error by the definition's ``error_when``."""
    return any(
        _comparable(value_at(document, path)) == expected.lower()
        for path, expected in error_when.items()
    )


def _comparable(value: object) -> str | None:
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, bool) else as_text(value).lower()


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _make_storable(value: object) -> object:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_make_storable(item) for item in value]
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("\ufffd", key): _make_storable(item) for key, item in value.items()}
    return value


def _printable(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cf", "Cs", "Co", "Cn"}:
        return ""
    return " " if category[0] in "CZ" else character
