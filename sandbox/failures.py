"""Fail on purpose: let a door answer as its switch says."""

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

Door = Literal["token", "revoke", "api", "authorize"]
View = Callable[..., HttpResponse]
Refusal = Callable[[HttpRequest], HttpResponse]


def failing(door: Door, *, revoked: Refusal | None = None) -> Callable[[View], View]:
    """Count requests to ``door`` and answer as its switch says.

    ``revoked`` makes the answer of a door whose credential can be withdrawn.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            count(door)
            switches = Switches.current()
            mode = getattr(switches, door)
            if mode == Mode.REVOKED and revoked:
                return revoked(request)
            if mode in FAILURES:
                return FAILURES[mode](request)
            response = view(request, *args, **kwargs)
            if mode == Mode.SLOW:
                # After the work, as the answer that comes too late is the one that
                # leaves a client not knowing what happened.
                time.sleep(switches.slow_seconds)
            return response

        return answer

    return decorate


def _error(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/on_purpose.html", status=500)


def _html(request: HttpRequest) -> HttpResponse:
    return render(request, "sandbox/on_purpose.html")


def _empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(content_type="application/json")


def _redirect(request: HttpRequest) -> HttpResponse:
    # To a client the two names of this machine are two hosts.
    other = "127.0.0.1" if request.get_host().startswith("localhost") else "localhost"
    return HttpResponseRedirect(f"http://{other}:{settings.SANDBOX_PORT}/elsewhere")


FAILURES: dict[str, Refusal] = {
    Mode.ERROR: _error,
    Mode.HTML: _html,
    Mode.EMPTY: _empty,
    Mode.REDIRECT: _redirect,
}
