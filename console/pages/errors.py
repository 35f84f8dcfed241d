"""Handler for server errors (``handler500``)."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

from console.encryption.fernet_keys import SecretUnreadable

RETRY_SECONDS = 10


def failed(request: HttpRequest) -> HttpResponse:
    """Respond 503 if the database is unavailable or a secret cannot be decrypted, else 500.

    Django calls this while it handles the exception. The pages make no database query.
    """
    error = sys.exception()
    if isinstance(error, SecretUnreadable):
        return HttpResponse(render_to_string("503_secret.html", {"reason": str(error)}), status=503)
    if isinstance(error, OperationalError | InterfaceError):
        return HttpResponse(
            render_to_string("503_database.html"),
            status=503,
            headers={"Retry-After": str(RETRY_SECONDS)},
        )
    return server_error(request)
