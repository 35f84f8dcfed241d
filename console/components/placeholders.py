"""Fill the placeholders of calls and uses with values.

``values`` maps a root (``input``, ``answer``, ``connection``) to its value. A root that is not in
it is not available here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from console.components.definitions import PLACEHOLDER

_NOT_HERE = {
    "input": "there is no input",
    "answer": "there is no earlier answer",
    "connection": "only a call has a connection",
}
_WHERE = {
    "input": "the input",
    "answer": "the earlier answer",
    "connection": "the connection",
}
_MAX_NAMES = 8
#: Limit for the characters of all filled placeholders of one request together.
MAX_FILLED = 10_000_000


class NoValue(LookupError):
    """A placeholder cannot be filled; the message says what is available instead."""


class SizeBudget:
    """Counts down the characters that filled placeholders may still take.

    It is needed because a short definition can name a long value thousands of times.
    """

    def __init__(self, characters: int = MAX_FILLED) -> None:
        self.left = characters
        self._sizes: dict[str, int] = {}

    def take(self, place: re.Match[str], value: Any) -> None:
        """Subtract the size of a value; raise :class:`NoValue` if the budget is exceeded."""
        if place[0] not in self._sizes:  # the same placeholder always has the same value
            self._sizes[place[0]] = len(_as_text(value))
        self.left -= self._sizes[place[0]]
        if self.left < 0:
            raise NoValue(
                f"The values of all placeholders together, including {_written(place)}, have more "
                f"than {MAX_FILLED:,} characters. Send less, or use the placeholder less often."
            )


def fill(value: Any, values: Mapping[str, Any], budget: SizeBudget | None = None) -> Any:
    """Fill the placeholders in every string of a JSON value, except in object keys.

    A string that is exactly one placeholder becomes the value itself, of any type.
    """
    budget = budget or SizeBudget()
    if isinstance(value, dict):
        return {name: fill(item, values, budget) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values, budget) for item in value]
    if not isinstance(value, str):
        return value
    if placeholder := PLACEHOLDER.fullmatch(value):
        return _taken(placeholder, values, budget)
    return fill_text(value, values, budget)


def fill_text(text: str, values: Mapping[str, Any], budget: SizeBudget | None = None) -> str:
    """Fill the placeholders in a text: booleans and numbers as in JSON, null as nothing."""
    budget = budget or SizeBudget()
    return PLACEHOLDER.sub(lambda place: _as_text(_taken(place, values, budget)), text)


def fill_path(path: str, values: Mapping[str, Any], budget: SizeBudget | None = None) -> str:
    """Fill the placeholders in a path, each value percent-encoded (RFC 3986 section 2.1)."""
    budget = budget or SizeBudget()

    def segment(place: re.Match[str]) -> str:
        text = _as_text(_taken(place, values, budget))
        if text in {"", ".", ".."}:
            what = f"is “{text}”" if text else "is empty"
            raise NoValue(f"{_written(place)} {what}, which is not possible in a path.")
        return quote(text, safe="", errors="replace")

    return PLACEHOLDER.sub(segment, path)


def _taken(place: re.Match[str], values: Mapping[str, Any], budget: SizeBudget) -> Any:
    value = _found(place, values)
    budget.take(place, value)
    return value


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
    """Describe a value in a few words."""
    if isinstance(value, Mapping):
        if not value:
            return "is empty"
        names = ", ".join(str(name)[:60] for name in list(value)[:_MAX_NAMES])
        more = f" and {len(value) - _MAX_NAMES} more" if len(value) > _MAX_NAMES else ""
        return f"has {names}{more}"
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
