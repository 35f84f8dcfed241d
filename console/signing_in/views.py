"""Security: one page with all by which a person proves who he is."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from console.http import SignedInRequest
from console.signing_in.factors import is_exposed


@never_cache
@require_safe
def security(request: SignedInRequest) -> HttpResponse:
    """Show password, second factors, recovery codes and where the person is signed in."""
    mine = Authenticator.objects.filter(user=request.user).order_by("created_at")
    of = {kind: [row for row in mine if row.type == kind] for kind in Authenticator.Type}
    codes = of[Authenticator.Type.RECOVERY_CODES]
    sessions = UserSession.objects.purge_and_list(request.user)
    return render(
        request,
        "account/security.html",
        {
            "app": next(iter(of[Authenticator.Type.TOTP]), None),
            "passkeys": of[Authenticator.Type.WEBAUTHN],
            "protected": bool(of[Authenticator.Type.TOTP] or of[Authenticator.Type.WEBAUTHN]),
            "codes": codes[0] if codes else None,
            "codes_left": len(codes[0].wrap().get_unused_codes()) if codes else 0,
            "exposed": is_exposed(request.user),
            "sessions": sorted(sessions, key=lambda session: session.created_at, reverse=True),
        },
    )
