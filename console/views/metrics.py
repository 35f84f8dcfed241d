"""Numbers for the program that watches the deployment."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from console.gathering import gathered


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
    return HttpResponse(gathered(), content_type=CONTENT_TYPE_LATEST)
