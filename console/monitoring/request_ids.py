"""Request ids: in every log line of a request, and in the ``X-Request-Id`` response header."""

from __future__ import annotations

import random
import re
from typing import Any

from django.conf import settings
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER = "X-Request-Id"
_KEY = "console.request_id"
_VALID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def begin(environ: dict[str, Any]) -> str:
    """Set the id of the request that this thread handles from now on, and return it.

    The header of the request is used if there is a trusted proxy (``TRUSTED_PROXY_COUNT``) and
    its value is a short token. Otherwise the id is random. It is stored in the WSGI ``environ``.
    """
    request_id: str | None = environ.get(_KEY)
    if request_id is None:
        given = environ.get("HTTP_X_REQUEST_ID", "") if settings.ALLAUTH_TRUSTED_PROXY_COUNT else ""
        request_id = given if _VALID.fullmatch(given) else f"{random.getrandbits(128):032x}"
        environ[_KEY] = request_id
    clear_contextvars()
    bind_contextvars(request_id=request_id)
    return request_id
