"""For whoever watches the deployment; nothing here says more than up or down."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from console import readiness


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
