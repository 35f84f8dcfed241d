"""Gallery of connectors; a card starts a draft connection."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.models import Connection
from connections.setup import drafting
from connections.setup.forms import AUTH_TYPE_NAMES, NameForm
from connections.views.setup import connection_setup, go_on, step_page
from connectors.definitions.registry import UnknownConnector, categories, get_connector
from connectors.definitions.schema import Connector
from connectors.definitions.search import search
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application

#: Number of cards on the first page, so that it renders fast with a large catalogue.
FIRST_CARDS = 24
#: How many of the latest connections decide which connectors come first.
RECENT_CONNECTIONS = 50


@require_safe
def connector_list(request: SignedInRequest) -> HttpResponse:
    """Show the connectors as cards; search and filters are in the query string."""
    applications = _applications(request)
    chosen = {name: request.GET.get(name, "")[:100] for name in ("q", "category", "auth")}
    found = search(chosen["q"], chosen["category"], chosen["auth"])
    if not chosen["q"]:
        found = _recent_first(request.user, found)
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
            "show_all_query": _show_all_query(request) if len(shown) < len(found) else "",
            # After "Show all", the focus moves to the first new card.
            "next_card": FIRST_CARDS + 1 if request.htmx and request.GET.get("all") else 0,
            "categories": categories(),
            "auth_types": [(kind, name.split(":")[0]) for kind, name in AUTH_TYPE_NAMES.items()],
            "chosen": chosen,
            "application": _application(request, applications),
            "applications": applications,
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def draft_start(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the first step of the wizard; a POST saves the draft and goes on.

    An unfinished draft for the connector is continued. A POST without a name starts a draft with
    the default name.
    """
    try:
        connector = get_connector(slug)
    except UnknownConnector as error:
        raise Http404(str(error)) from error
    application = _application(request, _applications(request))
    if application is None:
        messages.error(request, "There is no application yet. A super admin can create one.")
        return SeeOther(reverse("connector_list"))
    if request.method == "POST" and "name" not in request.POST:
        return _first_step(drafting.start(request.user, application, connector))
    draft = drafting.propose(request.user, application, connector)
    is_saved = not draft._state.adding
    if request.method != "POST":
        if is_saved:
            return _first_step(draft)
        return step_page(request, draft, "name", NameForm(instance=draft, user=request.user))
    if is_saved:  # another tab has started it
        return connection_setup(request, draft.pk, "name")
    form = NameForm(request.POST, instance=draft, user=request.user)
    if not form.is_valid():
        return step_page(request, draft, "name", form)
    answers = form.values() | {"answered": ["name"]}
    draft = drafting.start(request.user, answers.pop("application"), connector, **answers)
    return go_on(request, draft, "name", form)


def _first_step(draft: Connection) -> HttpResponse:
    return SeeOther(reverse("connection_setup", args=[draft.pk, "name"]))


def _recent_first(user: User, found: Iterable[Connector]) -> list[Connector]:
    """Sort the connectors: recently used ones, then the sandbox, then the others."""
    recent = (
        Connection.objects.created()
        .visible_to(user)
        .order_by("-created_at", "-id")
        .values_list("connector_slug", flat=True)[:RECENT_CONNECTIONS]
    )
    order = {slug: place for place, slug in enumerate(dict.fromkeys(recent))}
    last = len(order)
    return sorted(found, key=lambda c: order.get(c.slug, last if c.sandbox else last + 1))


def _show_all_query(request: SignedInRequest) -> str:
    """Return the query string that shows all cards of the same search."""
    query = request.GET.copy()
    query["all"] = "1"
    return f"?{query.urlencode()}"


def _applications(request: SignedInRequest) -> list[Application]:
    if not request.user.may(Action.MANAGE_CONNECTIONS):
        raise PermissionDenied
    return list(Application.objects.allowing(request.user, Action.MANAGE_CONNECTIONS))


def _application(request: SignedInRequest, applications: list[Application]) -> Application | None:
    """Return the application in the request, by its link name or key, or the first one."""
    named = request.POST.get("application") or request.GET.get("application")
    for application in applications:
        if named in (application.link_name, str(application.pk)):
            return application
    return applications[0] if applications else None
