"""The public keys that verify user tokens."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from console.keys.user_tokens import public_set


# Applications verify tokens without an account.
@login_not_required
@require_safe
@cache_control(public=True, max_age=300)
def jwks(request: HttpRequest) -> JsonResponse:
    """Publish the JWK Set (RFC 7517 section 5)."""
    return JsonResponse(public_set())
