"""Views of the runtime API: a wrapper for its operations, its reference, the problem types."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.runtime.api_reference import get_reference
from console.runtime.asgi_request import match_proxy_path
from console.runtime.problem_details import Problem
from console.runtime.problem_types import PROBLEM_TYPES

View = Callable[..., HttpResponseBase]


def public_api(view: View) -> View:
    """Make a view available without a session; answer HEAD as GET, and 405 with a problem."""

    # Programs have no session: every operation requires a key.
    @login_not_required
    @csrf_exempt  # Cookies have no effect here.
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        method = request.method
        if method == "HEAD":
            request.method = "GET"
        response = view(request, *args, **kwargs)
        request.method = method
        if response.status_code == 405:
            allowed = ", ".join(sorted(response["Allow"].split(", ")))
            response = Problem(
                "method-not-allowed",
                f"{request.path} supports {allowed}.",
                headers={"Allow": allowed},
            ).response
        response.setdefault("Cache-Control", "no-store")
        return response

    return answer


# Programs that mistype a URL get a problem document, not the sign-in page.
@login_not_required
@csrf_exempt
def not_found(request: HttpRequest, **_: str) -> HttpResponse:
    """Answer unknown URLs of the API with a problem."""
    return Problem(
        "not-found",
        "There is nothing at this URL. All URLs of the API are in /api/v1/openapi.json.",
    ).response


# As above.
@login_not_required
@csrf_exempt
def proxied_call(request: HttpRequest, **_: str | None) -> HttpResponse:
    """Say that proxied calls need an ASGI server, where they make calls themselves (proxy_app)."""
    if not match_proxy_path(request.META.get("RAW_URI", request.path).partition("?")[0]):
        return not_found(request)  # only looks like a call: a slash in it was sent as %2F
    return Problem(
        "asgi-required",
        "This server runs the console as a WSGI application, which makes no proxied calls. Start "
        "it with “granian --interface asginl console.asgi:application”.",
    ).response


# Developers follow these URLs from error responses, without an account.
@login_not_required
@require_safe
def problem_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Explain a problem type to a person; its URL is the ``type`` of problem documents."""
    problem_type = PROBLEM_TYPES.get(slug)
    if problem_type is None:
        raise Http404
    return render(request, "runtime/problem_detail.html", {"problem_type": problem_type})


@require_safe
def api_reference(request: SignedInRequest) -> HttpResponse:
    """Show the operations of the API and its problem types."""
    return render(request, "runtime/api_reference.html", {"reference": get_reference()})
