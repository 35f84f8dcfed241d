"""Parse API requests: JSON bodies and numbers in the query."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from sandbox.authentication import RequestRefused, refusal


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Parse the body as a JSON object; raise ``RequestRefused`` (400, 413 or 415)."""
    if request.content_type != "application/json":
        raise RequestRefused(refusal(415, "not_json", "Send the content type application/json."))
    try:
        value = json.loads(request.body)
        # A lone surrogate is valid JSON, but a database cannot store it.
        json.dumps(value, ensure_ascii=False).encode()
    except RequestDataTooBig as error:
        raise RequestRefused(refusal(413, "too_large", "The body is too large.")) from error
    except (ValueError, RecursionError) as error:
        raise RequestRefused(refusal(400, "invalid_json", "The body is not valid JSON.")) from error
    if not isinstance(value, dict):
        raise RequestRefused(refusal(400, "invalid_json", "The body must be a JSON object."))
    return value


def whole_number(
    request: HttpRequest, name: str, *, default: int, minimum: int, maximum: int
) -> int:
    """Parse a number of the query; raise ``RequestRefused`` (400) if it is not valid."""
    text = request.GET.get(name, str(default))
    if text.isascii() and text.isdecimal() and len(text) <= 10 and minimum <= int(text) <= maximum:
        return int(text)
    message = f"{name} must be a whole number from {minimum} to {maximum}."
    raise RequestRefused(refusal(400, "invalid_parameter", message))
