"""The home page."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from connections.models import Connection
from connections.setup.connection_filters import page_of
from console.accounts.http import SignedInRequest
from console.accounts.models import Membership
from console.accounts.policy import Action
from console.signing_in.factors import is_exposed


# Browsers request it on the sign-in page, too.
@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon."""
    return redirect(static("console/favicon.svg"))


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """Show developers their latest connections, and everyone else where to go next."""
    manages = request.user.may(Action.MANAGE_CONNECTIONS)
    recent = []
    if manages:
        mine = Connection.objects.visible_to(request.user).created()
        recent = page_of(mine, request.user, QueryDict()).rows[:3]
    return render(
        request,
        "pages/home.html",
        {
            "manages": manages,
            "recent": recent,
            "exposed": is_exposed(request.user),
            "deactivated": [] if request.memberships else _deactivated_memberships(request),
        },
    )


def _deactivated_memberships(request: SignedInRequest) -> list[Membership]:
    """Return the deactivated memberships of a person who has no active one."""
    rows = request.user.memberships.exclude(deactivated_at=None)
    return list(rows.select_related("organization").order_by("organization__name"))
