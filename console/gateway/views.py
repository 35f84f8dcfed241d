"""Internal URLs for nginx. They exist only where GATEWAY_SECRET is set."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from console.encryption.fernet_keys import SecretUnreadable
from console.gateway.call_lines import note_lines
from console.gateway.call_rules import call_rules
from console.gateway.routes import route_for
from console.gateway.sealed_messages import MessageRefused, open_message


def _sealed(
    answer: Callable[[dict[str, Any]], dict[str, Any]],
) -> Callable[[HttpRequest], HttpResponse]:
    """Make a view of a function from the JSON of a sealed message to that of its answer."""

    # nginx does not sign in, and has no cookies: each message proves where it comes from.
    @login_not_required
    @csrf_exempt
    @require_POST
    @wraps(answer)
    def view(request: HttpRequest) -> HttpResponse:
        if not settings.GATEWAY_SECRET:
            raise Http404
        try:
            message = open_message(request.body, request.path_info)
            answered = answer(json.loads(message.text))
        except MessageRefused:
            return HttpResponse(status=403)
        except (KeyError, TypeError, ValueError, AttributeError):
            return HttpResponse(status=400)
        except (OperationalError, InterfaceError, SecretUnreadable):
            return HttpResponse(status=503)  # the Python path says so to the program
        sealed = message.seal_answer(json.dumps(answered).encode())
        return HttpResponse(
            sealed,
            content_type="application/octet-stream",
            headers={"Cache-Control": "no-store"},
        )

    return view


@_sealed
def gateway_route(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a route, or ``null``, and the rules of all calls if nginx has others."""
    rules = call_rules()
    key, user, connection = (str(asked[name]) for name in ("key", "user", "connection"))
    answer = {"route": route_for(key, user, connection), "rules_version": rules["version"]}
    return answer if asked["rules_version"] == rules["version"] else {**answer, "rules": rules}


@_sealed
def gateway_calls(told: dict[str, Any]) -> dict[str, Any]:
    """Take lines for the call log."""
    lines = list(told["lines"])
    note_lines(list(told["routes"]), lines, int(told["dropped"]))
    return {"taken": len(lines)}
