"""What a person is told when a page fails."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

RETRY_SECONDS = 10


def failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database is away, and 500 to whatever nobody has thought of.

    Django calls it while it handles the exception. The page asks the database for nothing.
    """
    if isinstance(sys.exception(), OperationalError | InterfaceError):
        return HttpResponse(
            render_to_string("503_database.html"),
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    return server_error(request)
