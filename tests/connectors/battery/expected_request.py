"""Compare a request with the expected one, including every parameter and header."""

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
#: Headers that frame the message.
_FRAMING_HEADERS = {"accept-encoding", "connection", "content-length", "user-agent"}


class Unexpected(Exception):
    """A request that the service does not accept."""


@dataclass(kw_only=True)
class Request:
    """An expected request."""

    method: str
    url: str
    params: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    form: dict[str, str] | None = None
    json: Any = None
    body: str = ""


def filled(template: str, values: Mapping[str, str]) -> str:
    """Fill a template; values after the host are percent-encoded."""

    def value(slot: re.Match[str]) -> str:
        if slot[1] not in values:
            raise Unexpected(f"There is no value for {slot[0]} in {template}.")
        text = values[slot[1]]
        before = template[: slot.start()]
        return quote(text, safe="") if re.search("://[^/]*/", before) else text

    return _SLOT.sub(value, template)


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def origin_and_path(url: str) -> tuple[str, str, str]:
    """Return scheme, host and decoded path of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower(), unquote(parts.path) or "/"


def pairs(query: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query, keep_blank_values=True))


def compare(received: Any, expected: Request) -> None:
    """Raise :class:`Unexpected` if a prepared request differs from the expected one."""
    _same("method", received.method, expected.method)
    _same("URL", origin_and_path(received.url), origin_and_path(expected.url))
    query = [*pairs(urlsplit(expected.url).query), *expected.params.items()]
    _same("query", pairs(urlsplit(received.url).query), sorted(query))
    headers = {
        n.lower(): v for n, v in received.headers.items() if n.lower() not in _FRAMING_HEADERS
    }
    media_type = headers.pop("content-type", "").partition(";")[0]
    expected_headers = {name.lower(): value for name, value in expected.headers.items()}
    expected_headers.setdefault("accept", headers.get("accept", ""))
    headers.setdefault("accept", "")
    _same("headers", headers, expected_headers | {"accept": expected_headers["accept"]})
    text = received.body.decode() if isinstance(received.body, bytes) else received.body or ""
    if expected.form:
        _same("type of the body", media_type, FORM)
        _same("form", pairs(text), sorted(expected.form.items()))
    elif expected.json is not None or expected.body:
        _same("type of the body", media_type, JSON)
        _same("body", json.loads(text), expected.json or json.loads(expected.body))
    else:
        _same("body", text, "")


def _same(what: str, received: Any, expected: Any) -> None:
    if received != expected:
        raise Unexpected(f"The {what} was {received!r} instead of {expected!r}.")


def set_value(document: Any, dotted_path: str, value: Any) -> Any:
    """Set the value at a dotted path; missing parts of the document are created."""
    step, _, rest = dotted_path.partition(".")
    if step.isdigit():
        items = document if isinstance(document, list) else []
        items += [{} for _ in range(int(step) + 1 - len(items))]
        items[int(step)] = set_value(items[int(step)], rest, value) if rest else value
        return items
    table = document if isinstance(document, dict) else {}
    table[step] = set_value(table.get(step), rest, value) if rest else value
    return table
