"""Home: where a person starts."""

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


# Browsers ask for it on the sign-in page, too.
@login_not_required
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon."""
    return redirect(static("console/favicon.svg"))


@require_safe
def home(request: SignedInRequest) -> HttpResponse:
    """Show what a developer was last at; everybody else, what there is for him here."""
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
            "shut_out_of": [] if request.memberships else _shut_out_of(request),
        },
    )


def _shut_out_of(request: SignedInRequest) -> list[Membership]:
    """List where somebody who belongs nowhere else is deactivated."""
    rows = request.user.memberships.exclude(deactivated_at=None)
    return list(rows.select_related("organization").order_by("organization__name"))
