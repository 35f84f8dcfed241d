"""The home page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.accounts.models import Membership
from console.pages.dashboard import Dashboard
from console.signing_in.factors import is_exposed


# Browsers request it on the sign-in page, too.
@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon, as a picture that every browser can show."""
    return redirect(static("console/favicon-32.png"))


# Browsers request it without cookies.
@login_not_required
@require_safe
@cache_control(public=True, max_age=24 * 60 * 60)
def manifest(request: HttpRequest) -> HttpResponse:
    """Describe the console for browsers that can add it to the home screen or the dock."""
    icons = [
        {
            "src": static(f"console/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in (192, 512)
    ]
    return JsonResponse(
        {
            "name": "Developer Console",
            "short_name": "Console",
            "start_url": reverse("home"),
            "scope": reverse("home"),
            "display": "minimal-ui",
            "background_color": "#ffffff",
            "theme_color": "#066fd1",
            "icons": icons,
        },
        content_type="application/manifest+json",
    )


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """Show what waits for the person, what happened, and where to go next."""
    return render(
        request,
        "pages/home.html",
        {
            "dashboard": Dashboard(request=request),
            "exposed": is_exposed(request),
            "deactivated": [] if request.memberships else _deactivated_memberships(request),
        },
    )


def _deactivated_memberships(request: SignedInRequest) -> list[Membership]:
    """Return the deactivated memberships of a person who has no active one."""
    rows = request.user.memberships.exclude(deactivated_at=None)
    return list(rows.select_related("organization").order_by("organization__name"))
