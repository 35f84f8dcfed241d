"""Put values into the placeholders of calls and uses.

``values`` maps a root (``input``, ``answer``, ``connection``) to what there is of it; a root
that is not in it does not exist at this place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from console.applications.definitions import PLACEHOLDER

_NOT_HERE = {
    "input": "nothing was given",
    "answer": "nothing has answered before this",
    "connection": "only a call has a connection",
}
_WHERE = {
    "input": "what was given",
    "answer": "the answer before",
    "connection": "the connection",
}
_MAX_NAMES = 8


class NoValue(LookupError):
    """A placeholder that cannot be filled; the message is one sentence with what there is."""


def fill(value: Any, values: Mapping[str, Any]) -> Any:
    """Fill every text of a JSON value; names of objects stay as they are.

    A text that is one placeholder becomes the value itself, of whatever type.
    """
    if isinstance(value, dict):
        return {name: fill(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values) for item in value]
    if not isinstance(value, str):
        return value
    if alone := PLACEHOLDER.fullmatch(value):
        return _found(alone, values)
    return fill_text(value, values)


def fill_text(text: str, values: Mapping[str, Any]) -> str:
    """Put the values into a text: true, false and numbers as JSON writes them, null as nothing."""
    return PLACEHOLDER.sub(lambda place: _as_text(_found(place, values)), text)


def fill_path(path: str, values: Mapping[str, Any]) -> str:
    """Put the values into a path, each percent-encoded as one segment (RFC 3986 section 2.1)."""

    def segment(place: re.Match[str]) -> str:
        text = _as_text(_found(place, values))
        if text in {"", ".", ".."}:
            what = f"is “{text}”" if text else "is empty"
            raise NoValue(f"{_written(place)} {what}, which cannot stand in a path.")
        return quote(text, safe="", errors="replace")

    return PLACEHOLDER.sub(segment, path)


def _found(place: re.Match[str], values: Mapping[str, Any]) -> Any:
    root, *steps = (place[1] + place[2]).split(".")
    if root not in values:
        raise NoValue(f"{_written(place)} has no value: {_NOT_HERE.get(root, 'it is unknown')}.")
    found, where = values[root], _WHERE[root]
    for step in steps:
        if isinstance(found, Mapping) and step in found:
            found = found[step]
        elif isinstance(found, list) and step.isdecimal() and int(step[:6]) < len(found):
            found = found[int(step[:6])]
        else:
            raise NoValue(f"{_written(place)} has no value: {where} {_what(found)}.")
        where = f"“{step}”"
    return found


def _what(value: Any) -> str:
    """Say what there is instead."""
    if isinstance(value, Mapping):
        if not value:
            return "holds nothing"
        names = ", ".join(str(name)[:60] for name in list(value)[:_MAX_NAMES])
        more = f" and {len(value) - _MAX_NAMES} more" if len(value) > _MAX_NAMES else ""
        return f"holds {names}{more}"
    if isinstance(value, list):
        return f"is a list of {len(value)}"
    if value is None or value == "":
        return "is empty"
    return "is a text" if isinstance(value, str) else "is a single value"


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _written(place: re.Match[str]) -> str:
    return f"{{{{ {place[1]}{place[2]} }}}}"
