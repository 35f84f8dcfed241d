"""API to set the switches and read the request counts.

It needs no sign-in: the sandbox listens on this machine only, and a page of another site cannot
send PUT, DELETE or JSON, because browsers ask first (CORS) and the sandbox does not allow it.
"""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sandbox import request_counts
from sandbox.authentication import RequestRefused, refusal
from sandbox.forms import SwitchesForm
from sandbox.models import Switches
from sandbox.payload import json_object


@login_not_required  # see the module
@csrf_exempt
@require_http_methods(["GET", "PUT", "DELETE"])
def switches_json(request: HttpRequest) -> HttpResponse:
    """Show, set or reset the switches. PUT changes only the switches that it names."""
    if request.method == "DELETE":
        Switches.objects.all().delete()
    elif request.method == "PUT":
        try:
            _set(json_object(request))
        except RequestRefused as refused:
            return refused.response
    return JsonResponse(Switches.current().as_json())


def _set(changes: dict[str, object]) -> None:
    if unknown := sorted(set(changes) - set(Switches.names())):
        message = f"There is no switch {', '.join(unknown)}."
        raise RequestRefused(refusal(400, "unknown_switch", message[:200]))
    switches = Switches.current()
    values = switches.as_json() | changes
    if values["expires_in"] is not None:
        values["expires_in"] = json.dumps(values["expires_in"])
    form = SwitchesForm(values, instance=switches)
    if not form.is_valid():
        body = {"error": "invalid", "message": "Some switches are not valid."}
        raise RequestRefused(JsonResponse(body | {"fields": form.errors}, status=422))
    form.save()


@login_not_required  # see the module
@csrf_exempt
@require_http_methods(["GET", "DELETE"])
def counts_json(request: HttpRequest) -> HttpResponse:
    if request.method == "DELETE":
        request_counts.reset()
    return JsonResponse(request_counts.counts())


@login_not_required  # it must be reachable for every client
@csrf_exempt
def elsewhere(request: HttpRequest) -> HttpResponse:
    """The target of the redirect switch: count the clients that follow it."""
    request_counts.count("elsewhere")
    return JsonResponse({"message": "You followed a redirect to another host."})
