"""The gallery of connectors, and the card that begins a draft."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from connections.models import Connection
from connections.setup import drafting
from connections.setup.forms import AUTH_TYPE_NAMES
from connectors.definitions.registry import UnknownConnector, categories, get_connector
from connectors.definitions.schema import Connector
from connectors.definitions.search import search
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application

#: What the first paint holds, however large the catalogue is.
FIRST_CARDS = 24
#: How far back to look for what somebody connects to.
RECENT_CONNECTIONS = 50


@require_safe
def connector_list(request: SignedInRequest) -> HttpResponse:
    """Show the connectors as cards; search and filters stand in the address."""
    applications = _applications(request)
    chosen = {name: request.GET.get(name, "")[:100] for name in ("q", "category", "auth")}
    found = search(chosen["q"], chosen["category"], chosen["auth"])
    if not chosen["q"]:
        found = _at_hand_first(request.user, found)
    shown = found if request.GET.get("all") else found[:FIRST_CARDS]
    template = "connections/connector_list.html"
    if request.htmx and request.htmx.target == "cards":
        template += "#cards"
    return render(
        request,
        template,
        {
            "connectors": [
                (connector, [AUTH_TYPE_NAMES[kind].split(":")[0] for kind in connector.auth_types])
                for connector in shown
            ],
            "found": len(found),
            "everything": _everything(request) if len(shown) < len(found) else "",
            # Whoever pressed "Show all" goes on where the cards had ended.
            "next_card": FIRST_CARDS + 1 if request.htmx and request.GET.get("all") else 0,
            "categories": categories(),
            "auth_types": [(kind, name.split(":")[0]) for kind, name in AUTH_TYPE_NAMES.items()],
            "chosen": chosen,
            "application": _application(request, applications),
            "applications": applications,
        },
    )


@require_POST
def draft_start(request: SignedInRequest, slug: str) -> HttpResponse:
    """Begin a connection to this connector, or go on with the draft that was left."""
    try:
        connector = get_connector(slug)
    except UnknownConnector as error:
        raise Http404(str(error)) from error
    application = _application(request, _applications(request))
    if application is None:
        messages.error(
            request, "There is no application yet. A super admin creates one in Administration."
        )
        return SeeOther(reverse("connector_list"))
    draft = drafting.start(request.user, application, connector)
    return SeeOther(reverse("connection_setup", args=[draft.pk, "name"]))


def _at_hand_first(user: User, found: Iterable[Connector]) -> list[Connector]:
    """Put first what was last connected to, and then the sandbox, where it is on offer."""
    recent = (
        Connection.objects.created()
        .visible_to(user)
        .order_by("-created_at", "-id")
        .values_list("connector_slug", flat=True)[:RECENT_CONNECTIONS]
    )
    order = {slug: place for place, slug in enumerate(dict.fromkeys(recent))}
    last = len(order)
    return sorted(found, key=lambda c: order.get(c.slug, last if c.sandbox else last + 1))


def _everything(request: SignedInRequest) -> str:
    """Return the address that shows all cards of the same search."""
    query = request.GET.copy()
    query["all"] = "1"
    return f"?{query.urlencode()}"


def _applications(request: SignedInRequest) -> list[Application]:
    if not request.user.may(Action.MANAGE_CONNECTIONS):
        raise PermissionDenied
    return list(Application.objects.allowing(request.user, Action.MANAGE_CONNECTIONS))


def _application(request: SignedInRequest, applications: list[Application]) -> Application | None:
    """Return the application that the address names, else the first one."""
    named = request.POST.get("application") or request.GET.get("application")
    for application in applications:
        if application.link_name == named:
            return application
    return applications[0] if applications else None
