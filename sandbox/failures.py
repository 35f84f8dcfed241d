"""Failures on purpose: endpoints respond as the switches say."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from sandbox.models import Mode, Switches
from sandbox.request_counts import count

Endpoint = Literal["token", "revoke", "api", "authorize"]
View = Callable[..., HttpResponse]
Refusal = Callable[[HttpRequest], HttpResponse]


def failing(endpoint: Endpoint, *, revoked: Refusal | None = None) -> Callable[[View], View]:
    """Decorate a view: count its requests, and respond as the switch of ``endpoint`` says.

    ``revoked`` creates the response for a withdrawn credential.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def respond(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            count(endpoint)
            switches = Switches.current()
            mode = getattr(switches, endpoint)
            if mode == Mode.REVOKED and revoked:
                return revoked(request)
            if mode in FAILURES:
                return FAILURES[mode](request)
            response = view(request, *args, **kwargs)
            if mode == Mode.SLOW:
                # After the work is done: a late response leaves the client unsure about the result.
                time.sleep(switches.slow_seconds)
            return response

        return respond

    return decorate


def _error(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/on_purpose.html", status=500)


def _html(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/on_purpose.html")


def _empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(content_type="application/json")


def _redirect(request: HttpRequest) -> HttpResponse:
    # For a client, these two names of this machine are different hosts.
    other = "127.0.0.1" if request.get_host().startswith("localhost") else "localhost"
    return HttpResponseRedirect(f"http://{other}:{settings.SANDBOX_PORT}/elsewhere")


FAILURES: dict[str, Refusal] = {
    Mode.ERROR: _error,
    Mode.HTML: _html,
    Mode.EMPTY: _empty,
    Mode.REDIRECT: _redirect,
}
