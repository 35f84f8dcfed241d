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

from console.components.definitions import PLACEHOLDER

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
#: Characters that all placeholders of one request become together.
MAX_FILLED = 10_000_000


class NoValue(LookupError):
    """A placeholder that cannot be filled; the message is one sentence with what there is."""


class Room:
    """How many characters placeholders may still become: a short definition can name a long
    value thousands of times.
    """

    def __init__(self, characters: int = MAX_FILLED) -> None:
        self.left = characters
        self._sizes: dict[str, int] = {}

    def take(self, place: re.Match[str], value: Any) -> None:
        """Count a value that is put in; raise :class:`NoValue` where it is too much."""
        if place[0] not in self._sizes:  # the same placeholder stands for the same value
            self._sizes[place[0]] = len(_as_text(value))
        self.left -= self._sizes[place[0]]
        if self.left < 0:
            raise NoValue(
                f"The values of the placeholders together have more than {MAX_FILLED:,} "
                f"characters, {_written(place)} among them. Send less, or send it less often."
            )


def fill(value: Any, values: Mapping[str, Any], room: Room | None = None) -> Any:
    """Fill every text of a JSON value; names of objects stay as they are.

    A text that is one placeholder becomes the value itself, of whatever type.
    """
    room = room or Room()
    if isinstance(value, dict):
        return {name: fill(item, values, room) for name, item in value.items()}
    if isinstance(value, list):
        return [fill(item, values, room) for item in value]
    if not isinstance(value, str):
        return value
    if alone := PLACEHOLDER.fullmatch(value):
        return _taken(alone, values, room)
    return fill_text(value, values, room)


def fill_text(text: str, values: Mapping[str, Any], room: Room | None = None) -> str:
    """Put the values into a text: true, false and numbers as JSON writes them, null as nothing."""
    room = room or Room()
    return PLACEHOLDER.sub(lambda place: _as_text(_taken(place, values, room)), text)


def fill_path(path: str, values: Mapping[str, Any], room: Room | None = None) -> str:
    """Put the values into a path, each percent-encoded as one segment (RFC 3986 section 2.1)."""
    room = room or Room()

    def segment(place: re.Match[str]) -> str:
        text = _as_text(_taken(place, values, room))
        if text in {"", ".", ".."}:
            what = f"is “{text}”" if text else "is empty"
            raise NoValue(f"{_written(place)} {what}, which cannot stand in a path.")
        return quote(text, safe="", errors="replace")

    return PLACEHOLDER.sub(segment, path)


def _taken(place: re.Match[str], values: Mapping[str, Any], room: Room) -> Any:
    value = _found(place, values)
    room.take(place, value)
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
