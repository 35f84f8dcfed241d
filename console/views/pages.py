"""Home and the applications: where a person starts."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from connections.listing import page_of
from connections.models import Connection
from console.accounts.policy import Action
from console.applications.models import Application
from console.http import SignedInRequest


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
    return render(request, "console/home.html", {"manages": manages, "recent": recent})


@require_safe
def application_list(request: SignedInRequest) -> HttpResponse:
    """Show the applications that the person works on."""
    if not request.user.may(Action.MANAGE_CONNECTIONS):
        raise PermissionDenied
    applications = Application.objects.allowing(
        request.user, Action.MANAGE_CONNECTIONS
    ).select_related("organization")
    return render(
        request,
        "console/application_list.html",
        {
            "applications": applications,
            "may_create": request.user.may(Action.CREATE_APPLICATIONS),
        },
    )


@require_safe
def application_detail(request: SignedInRequest, link_name: str) -> HttpResponse:
    """Show one application and its connections."""
    application = (
        Application.objects.allowing(request.user, Action.MANAGE_CONNECTIONS)
        .select_related("organization")
        .filter(link_name=link_name)
        .first()
    )
    if application is None:
        raise Http404
    page = page_of(
        Connection.objects.visible_to(request.user).created().filter(application=application),
        request.user,
        request.GET,
    )
    return render(
        request, "console/application_detail.html", {"application": application, "page": page}
    )
