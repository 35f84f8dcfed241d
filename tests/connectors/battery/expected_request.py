"""What a request is, and what it must be: compared to the last parameter and header."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
_SLOT = re.compile(r"\{(\w+)\}")
#: Headers that belong to the message and not to what it says.
_OF_THE_MESSAGE = {"accept-encoding", "connection", "content-length", "user-agent"}


class Unexpected(Exception):
    """A request that this service does not understand."""


@dataclass(kw_only=True)
class Request:
    """A request as a strict service wants it."""

    method: str
    url: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None
    json: Any = None
    body: str = ""


def filled(template: str, values: Mapping[str, str]) -> str:
    """Put values into a template, percent-encoded where they come after the host."""

    def value(slot: re.Match[str]) -> str:
        if slot[1] not in values:
            raise Unexpected(f"Nothing is known of {slot[0]} in {template}.")
        text = values[slot[1]]
        before = template[: slot.start()]
        return quote(text, safe="") if re.search("://[^/]*/", before) else text

    return _SLOT.sub(value, template)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def place(url: str) -> tuple[str, str, str]:
    """Return where an address leads to, without its query."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower(), unquote(parts.path) or "/"


def pairs(query: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query, keep_blank_values=True))


def compare(came: Any, wanted: Request) -> None:
    """Raise :class:`Unexpected` where a prepared request is not the one that is wanted."""
    _same("method", came.method, wanted.method)
    _same("address", place(came.url), place(wanted.url))
    query = [*pairs(urlsplit(wanted.url).query), *wanted.params.items()]
    _same("query", pairs(urlsplit(came.url).query), sorted(query))
    headers = {n.lower(): v for n, v in came.headers.items() if n.lower() not in _OF_THE_MESSAGE}
    media_type = headers.pop("content-type", "").partition(";")[0]
    expected = {name.lower(): value for name, value in wanted.headers.items()}
    expected.setdefault("accept", headers.get("accept", ""))
    headers.setdefault("accept", "")
    _same("headers", headers, expected | {"accept": expected["accept"]})
    text = came.body.decode() if isinstance(came.body, bytes) else came.body or ""
    if wanted.form:
        _same("type of the body", media_type, FORM)
        _same("form", pairs(text), sorted(wanted.form.items()))
    elif wanted.json is not None or wanted.body:
        _same("type of the body", media_type, JSON)
        _same("body", json.loads(text), wanted.json or json.loads(wanted.body))
    else:
        _same("body", text, "")


def _same(what: str, came: Any, wanted: Any) -> None:
    if came != wanted:
        raise Unexpected(f"The {what} was {came!r} instead of {wanted!r}.")


def put(document: Any, dotted_path: str, value: Any) -> Any:
    """Put a value where a dotted path leads to; return the document, made where it was not."""
    step, _, rest = dotted_path.partition(".")
    if step.isdigit():
        items = document if isinstance(document, list) else []
        items += [{} for _ in range(int(step) + 1 - len(items))]
        items[int(step)] = put(items[int(step)], rest, value) if rest else value
        return items
    table = document if isinstance(document, dict) else {}
    table[step] = put(table.get(step), rest, value) if rest else value
    return table
