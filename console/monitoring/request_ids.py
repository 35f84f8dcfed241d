"""The name of a request: in every line that is logged for it, and in its answer."""

from __future__ import annotations

import random
import re
from typing import Any

from django.conf import settings
from structlog.contextvars import bind_contextvars, clear_contextvars

HEADER = "X-Request-Id"
_KEY = "console.request_id"
_SANE = re.compile(r"[A-Za-z0-9._-]{8,64}")


def begin(environ: dict[str, Any]) -> str:
    """Name the request that this thread answers from now on, and return the name.

    One that came along counts where a proxy is trusted (``TRUSTED_PROXY_COUNT``) and it is
    nothing but a short token; else it is made. ``environ`` is that of WSGI, and keeps it.
    """
    name = environ.get(_KEY)
    if name is None:
        given = environ.get("HTTP_X_REQUEST_ID", "") if settings.ALLAUTH_TRUSTED_PROXY_COUNT else ""
        name = environ[_KEY] = (
            given if _SANE.fullmatch(given) else f"{random.getrandbits(128):032x}"
        )
    clear_contextvars()
    bind_contextvars(request_id=name)
    return name
