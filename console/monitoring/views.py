"""Endpoints for monitoring: liveness, readiness and metrics."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from console.monitoring import readiness
from console.monitoring.prometheus import exposition


# Load balancers do not sign in.
@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Return 200 while the process runs (liveness)."""
    return JsonResponse({"status": "ok"})


# Load balancers do not sign in. The response names only parts, without details.
@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Return 200 if database, keys and catalogue are ready, else 503 (readiness)."""
    faults = readiness.cached_faults.get()
    parts = {part: "failed" if part in faults else "ok" for part in readiness.PARTS}
    return JsonResponse(
        {"status": "failed" if faults else "ok", "parts": parts}, status=503 if faults else 200
    )


# Monitoring does not sign in; it sends METRICS_TOKEN.
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics if the bearer token is correct; 404 if no METRICS_TOKEN is set."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    matches = hmac.compare_digest(token.strip().encode(), settings.METRICS_TOKEN.encode())
    if scheme.lower() != "bearer" or not matches:
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(exposition(), content_type=CONTENT_TYPE_LATEST)
