"""Logging configuration: one line for each record, with the id of the request.

Requests are logged by their route, never by their URL: URLs contain codes and tokens in the
query string, and some in the path.
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

#: Extra fields that are written (``extra=``). Others are left out, because they may be secret.
FIELDS = ("method", "route", "status", "milliseconds")
#: Routes that monitoring and nginx request every few seconds; they are logged at DEBUG.
_MONITORING_ROUTES = frozenset({"healthz", "readyz", "metrics", "gateway_route", "gateway_calls"})
# These log tokens at DEBUG, regardless of the level of the root logger.
_LOGS_TOKENS = dict.fromkeys(("requests_oauthlib", "oauthlib"), "INFO")
# It logs whole URLs, even in warnings, and some services take API keys in the query string.
_LOGS_URLS = {"urllib3": "ERROR"}
# These log every step at INFO.
_VERBOSE = dict.fromkeys(("axes", "django_tasks"), "WARNING")
# Below ERROR it repeats the lines of RequestMiddleware, and includes the path.
_REPEATS_REQUESTS = {"django.request": "ERROR"}


class RequestMiddleware:
    """Give each request an id, return it in a header, and log the request in one line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id, started = begin(request.META), time.perf_counter()
        response = self.get_response(request)
        response[HEADER] = request_id
        match = request.resolver_match
        if match is None and response.status_code < 400:
            return response  # a static file
        fields = {
            "method": request.method,
            "route": match.route if match else "",
            "status": response.status_code,
            "milliseconds": round((time.perf_counter() - started) * 1000),
        }
        is_monitoring = match is not None and match.view_name in _MONITORING_ROUTES
        logger.log(
            logging.DEBUG if is_monitoring else logging.INFO,
            "%(method)s %(route)s: %(status)s in %(milliseconds)s ms",
            fields,
            extra=fields,
        )
        return response


def configuration(*, form: str, level: str) -> dict[str, Any]:
    """Return the value of Django's ``LOGGING`` setting; ``form`` is ``json`` or ``line``."""
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
                    # Tracebacks as plain text, without the values of variables: no secrets.
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
            for name, at in (_LOGS_TOKENS | _LOGS_URLS | _VERBOSE | _REPEATS_REQUESTS).items()
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
