"""Middleware for changes that could not be recorded in the audit log."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from console.audit.log import NotRecorded

logger = logging.getLogger(__name__)


class UnrecordedMiddleware:
    """Respond with 503 when a change was rolled back because it could not be recorded."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, NotRecorded):
            return None
        logger.error("Nothing was changed: %s", exception, exc_info=exception)
        return render(request, "503.html", status=503)
