"""For programs that watch the deployment: liveness, readiness and metrics."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from console.monitoring import readiness
from console.monitoring.prometheus import exposition


# A load balancer does not sign in.
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Say that the process answers."""
    return JsonResponse({"status": "ok"})


# The same, and the answer names parts, never their contents.
@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Say whether database, keys and catalogue are as they must be: 200 or 503."""
    faults = readiness.known.get()
    parts = {part: "failed" if part in faults else "ok" for part in readiness.PARTS}
    return JsonResponse(
        {"status": "failed" if faults else "ok", "parts": parts}, status=503 if faults else 200
    )


# A program does not sign in: it shows METRICS_TOKEN.
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give out what is counted, to whoever shows the token; without one it is not there."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    known = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not known:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
