"""Error responses: pages for people, JSON for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from sandbox.authentication import refusal

#: Paths that get JSON errors.
PROGRAM_PATHS = ("/api/", "/basic/", "/key/", "/oauth/token", "/oauth/revoke", "/.well-known/")


def _error_response(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
    if request.path.startswith(PROGRAM_PATHS) or request.path.endswith(".json"):
        return refusal(status, code, message)
    return render(request, "sandbox/error.html", {"message": message}, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 400, "bad_request", "The request cannot be read.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 403, "forbidden", "That is not allowed.")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _error_response(request, 404, "not_found", "This page was not found.")


def server_error(request: HttpRequest) -> HttpResponse:
    return _error_response(request, 500, "server_error", "Something went wrong here.")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    message = "This form has expired. Go back, reload the page and try again."
    return _error_response(request, 403, "csrf", message)
