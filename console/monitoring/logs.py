"""How the log is written: one line an event, with the id of its request.

What a request is about is told by its route, never by its address: addresses carry codes and
tokens, in their queries and some in their paths.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog import contextvars, processors, stdlib

from console.monitoring.request_ids import HEADER, begin

logger = logging.getLogger(__name__)

#: What a record may carry beside its words (``extra=``); the rest of it may be anything.
FIELDS = ("method", "route", "status", "milliseconds")
#: Asked every few seconds by whoever watches the deployment.
_WATCHED = frozenset({"healthz", "readyz", "metrics"})
# These log tokens at DEBUG, whatever the level of the root is.
_TALKATIVE = dict.fromkeys(("requests_oauthlib", "oauthlib"), "INFO")
# It writes whole addresses, also in its warnings, and some services take keys in the query.
_TELLTALE = {"urllib3": "ERROR"}
# They tell at INFO of every single thing that they begin.
_QUIET = dict.fromkeys(("axes", "django_tasks"), "WARNING")
# Below ERROR it repeats what RequestMiddleware tells, and names the path.
_REPEATING = {"django.request": "ERROR"}


class RequestMiddleware:
    """Name each request, give the name back, and log what came of it in one line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        name, began = begin(request.META), time.perf_counter()
        response = self.get_response(request)
        response[HEADER] = name
        match = request.resolver_match
        if match is None and response.status_code < 400:
            return response  # a file
        fields = {
            "method": request.method,
            "route": match.route if match else "",
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - began) * 1000),
        }
        watched = match is not None and match.view_name in _WATCHED
        logger.log(
            logging.DEBUG if watched else logging.INFO,
            "%(method)s %(route)s: %(status)s in %(milliseconds)s ms",
            fields,
            extra=fields,
        )
        return response


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """Return the settings of ``logging``; ``form`` is ``json`` or ``line``."""
    if form not in _FORMS:
        raise ImproperlyConfigured(f"LOG_FORMAT is {form!r}; it can be {' or '.join(_FORMS)}.")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "console": {
                "()": stdlib.ProcessorFormatter,
                "foreign_pre_chain": [
                    contextvars.merge_contextvars,
                    stdlib.add_logger_name,
                    stdlib.add_log_level,
                    stdlib.ExtraAdder(allow=FIELDS),
                    processors.TimeStamper(fmt="iso", utc=True),
                    # A traceback as text: one with the values of variables would tell secrets.
                    processors.format_exc_info,
                ],
                "processors": [stdlib.ProcessorFormatter.remove_processors_meta, _FORMS[form]],
            }
        },
        "filters": {"masked": {"()": "console.inviting.log_redaction.InvitationTokenFilter"}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "console",
                "filters": ["masked"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            name: {"level": at}
            for name, at in (_TALKATIVE | _TELLTALE | _QUIET | _REPEATING).items()
        },
    }


_json = processors.JSONRenderer(ensure_ascii=False)


def _as_json(logger: Any, method: str, event: Any) -> str | bytes:
    return _json(logger, method, {"request_id": None, **event})


def _as_line(logger: Any, method: str, event: Any) -> str:
    head = f"{event['timestamp']} {event['level'].upper()} {event.get('request_id') or '-'}"
    traceback = f"\n{event['exception']}" if "exception" in event else ""
    return f"{head} {event['logger']}: {event['event']}{traceback}"


_FORMS: dict[str, Callable[..., str | bytes]] = {"json": _as_json, "line": _as_line}
