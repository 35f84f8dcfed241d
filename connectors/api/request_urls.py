"""Build URLs, queries and bodies of API requests; no URL can leave the API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill_url, origin
from connectors.errors import ServiceForbidden
from connectors.http.payloads import printable_line

#: Query parameters or form fields; a list means a repeated name.
Fields = dict[str, str | list[str]]

FORM = "application/x-www-form-urlencoded"
#: Characters that need no encoding in a path (RFC 3986 section 3.3), and ``%`` for encoded ones.
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~"
_INVALID_IN_PATH = re.compile(r"[\\?#\x00-\x1f\x7f]|%(?![0-9A-Fa-f]{2})")
#: Overlong UTF-8 forms of dots and slashes, which some servers decode.
_OVERLONG = re.compile(r"%c0%a[ef]|%c1%9c|%(?:e0|f0%80)%8[01]%[89ab][0-9a-f]", re.IGNORECASE)
_EMPTY_FIRST_SEGMENT = re.compile(r"[/\\]{2}")
#: How often a path is decoded to look for dot segments; deeper encodings are refused.
_MAX_DECODINGS = 5


def api_url(connector: Connector, path: str, values: Mapping[str, str]) -> str:
    """Return the URL for a path of the API; raise ``ServiceForbidden`` if it leaves the API.

    ``path`` begins with one slash, or is empty for the base URL; its values are percent-encoded.
    ``values`` fills the slots of the base URL.
    """
    return url_below(base_url(connector, values), path, service=connector.name)


def base_url(connector: Connector, values: Mapping[str, str]) -> str:
    """Return the base URL of the API, without a slash at the end."""
    return fill_url(connector.api_base_url, values).rstrip("/")


def url_below(base: str, path: str, *, service: str) -> str:
    """Return the URL for a path below ``base``, as :func:`api_url` does."""
    is_path = not path or path.startswith("/")
    if not is_path or _INVALID_IN_PATH.search(path) or leaves_api(path) or not _accepts_path(base):
        raise ServiceForbidden(
            f"The path “{printable_line(path, 100)}” could lead out of {service}'s API, "
            "so nothing was sent."
        )
    return base + quote(path, safe=_SAFE_IN_PATH)


@lru_cache(maxsize=2_000)
def _accepts_path(base: str) -> bool:
    """Return whether text added after a slash belongs to the path, not to a host or query."""
    return is_below(base, f"{base}/")


def encode_query(query: Mapping[str, Any]) -> Fields:
    """Return the query parameters as text; null is left out, and a list repeats the name."""
    return _text_fields(query, "the query")


def encode_body(body: Any, content_type: str) -> tuple[bytes | None, str]:
    """Return the encoded body and its content type.

    An object becomes a form if ``content_type`` says so, and JSON otherwise. Text is sent
    unchanged, in UTF-8.
    """
    if body is None:
        return None, content_type
    if isinstance(body, str):
        return body.encode(), content_type or "text/plain; charset=utf-8"
    if content_type.partition(";")[0].strip().lower() == FORM:
        if not isinstance(body, Mapping):
            raise ServiceForbidden(
                "A form body must be an object of names and values. Nothing was sent."
            )
        return urlencode(_text_fields(body, "a form"), doseq=True).encode(), content_type
    return json.dumps(body, ensure_ascii=False).encode(), content_type or "application/json"


def _text_fields(values: Mapping[str, Any], part: str) -> Fields:
    texts: Fields = {}
    for name, value in values.items():
        items = value if isinstance(value, list) else [value]
        present = [item for item in items if item is not None]
        if any(isinstance(item, dict | list) for item in present):
            what = "is a list that holds lists or objects" if items is value else "is an object"
            raise ServiceForbidden(
                f"“{printable_line(name, 60)}” {what}. {part.capitalize()} holds texts, numbers, "
                "true and false, and lists of these. Nothing was sent."
            )
        if present:
            each = [item if isinstance(item, str) else json.dumps(item) for item in present]
            texts[name] = each if items is value else each[0]
    return texts


def leaves_api(path: str) -> bool:
    """Return whether some server could resolve the path to one outside the API.

    The path is refused for dot segments, an empty first segment, or a NUL. Some servers decode
    twice, take ``\\`` for a slash, or cut ``;parameters`` off a segment. An encoded slash itself is
    allowed: RabbitMQ's default virtual host is ``%2F``.
    """
    if "%" not in path and "." not in path:
        return _EMPTY_FIRST_SEGMENT.match(path) is not None
    for _ in range(_MAX_DECODINGS):
        if "\0" in path or _EMPTY_FIRST_SEGMENT.match(path) or _OVERLONG.search(path):
            return True
        for segment in re.split(r"[/\\]", path):
            if re.sub(r"[\x00-\x20]", "", segment.partition(";")[0]) in {".", ".."}:
                return True
        decoded = unquote(path)
        if decoded == path:
            return False
        path = decoded
    return True


def is_below(base: str, address: str) -> bool:
    """Return whether a URL is below ``base``."""
    return origin(address) == origin(base) and urlsplit(address).path.startswith(
        f"{urlsplit(base).path}/"
    )
