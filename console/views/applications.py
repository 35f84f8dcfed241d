"""Applications: the list, one of them as a whole, and its components."""

from __future__ import annotations

import uuid

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from connections.listing import page_of
from connections.models import Connection
from connections.standing import Environment
from console.accounts.policy import Action
from console.applications.models import Application, Component, Kind
from console.http import SignedInRequest
from console.publishing.comparing import changes
from console.publishing.environments import release_in_stage, states_across
from console.publishing.manifest import Manifest, of_development
from console.publishing.mapping import draw

PAGE_SIZE = 30
#: How many components the application's own page shows, the latest ones.
LATEST = 8


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
    """Show one application: its map, its components and connections, and what is in Stage."""
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
    components = list(application.components.order_by("-updated_at"))
    development = of_development(application, components)
    release = release_in_stage(application)
    stage = release.manifest if release else Manifest()
    states = states_across(
        application,
        {
            Environment.DEVELOPMENT: development.connections.values(),
            # What Stage does not hold yet would stand there as it does in Development.
            Environment.STAGE: {**development.connections, **stage.connections}.values(),
        },
        request.user,
    )
    addresses = {component.link_name: component.get_absolute_url() for component in components}
    return render(
        request,
        "console/application_detail.html",
        {
            "application": application,
            "page": page,
            "release": release,
            "changed": len(changes(stage, development).components),
            "picture": draw(development, states.values(), addresses),
            "components": components[:LATEST],
            "component_count": len(components),
            "may_publish": application.allows(request.user, Action.PUBLISH),
        },
    )


@require_safe
def component_list(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the components of an application in the order of their link names."""
    application = get_object_or_404(
        Application.objects.allowing(request.user, Action.MANAGE_COMPONENTS), pk=pk
    )
    # PostgreSQL takes no NUL.
    asked = {name: value.replace("\0", "")[:100] for name, value in request.GET.items()}
    words, kind = asked.get("q", "").strip(), asked.get("kind", "")
    connection = asked.get("connection", "")
    rows = application.components.select_related("updated_by").defer("definition")
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(link_name__icontains=words))
    if kind in Kind.values:
        rows = rows.filter(kind=kind)
    if connection:
        rows = rows.filter(references__connection__link_name=connection)
    if after := asked.get("after", ""):
        rows = rows.filter(link_name__gt=after)
    found: list[Component] = list(rows.order_by("link_name")[: PAGE_SIZE + 1])
    query = request.GET.copy()
    query["after"] = found[PAGE_SIZE - 1].link_name if len(found) > PAGE_SIZE else ""
    template = "console/component_list.html"
    if request.htmx and request.htmx.target == "table":
        template += "#table"
    return render(
        request,
        template,
        {
            "application": application,
            "components": found[:PAGE_SIZE],
            "older": f"?{query.urlencode()}" if len(found) > PAGE_SIZE else "",
            "kinds": Kind.choices,
            "words": words,
            "kind": kind,
            "connection": connection,
            "narrowed": bool(words or kind or connection),
        },
    )
