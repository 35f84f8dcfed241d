"""What stands around the operations of the runtime API, and the pages of its problems."""

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

from console.runtime.problem_details import KINDS, Problem

View = Callable[..., HttpResponseBase]


def opened(view: View) -> View:
    """Let programs in without a session; HEAD is GET, and whatever is refused a problem."""

    # Programs come with a key, which every operation asks for.
    @login_not_required
    @csrf_exempt  # No cookie counts here.
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
                f"{request.path} takes {allowed}.",
                headers={"Allow": allowed},
            ).response
        response.setdefault("Cache-Control", "no-store")
        return response

    return answer


# A program that has mistyped an address is told so as a program.
@login_not_required
@csrf_exempt
def nothing_here(request: HttpRequest, **_: str) -> HttpResponse:
    """Say that an address below the API's is none."""
    return Problem(
        "not-found",
        "There is nothing at this address. What there is stands in /api/v1/openapi.json.",
    ).response


# Whoever reads an answer of the API may read what it means.
@login_not_required
@require_safe
def problem_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Explain a kind of problem to a person: its address is the ``type`` of such answers."""
    kind = KINDS.get(slug)
    if kind is None:
        raise Http404
    return render(request, "runtime/problem_detail.html", {"kind": kind})
