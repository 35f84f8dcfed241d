"""The pages that list the calls of a connection, for developers and for clients."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from connections.models import Connection, InstalledConnection
from connections.models.authorization_site import AuthorizationSite
from console.accounts.http import SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.invocations.call_filters import PAGE_SIZE, CallFilterForm
from console.invocations.chart import draw
from console.invocations.unused_scopes import scope_usage
from console.pagination import paginate


@require_safe
def connection_calls(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the calls of a connection in Development and Stage, and its unused permissions."""
    connections = Connection.objects.visible_to(request.user).created()
    connection = get_object_or_404(connections.select_related("application__organization"), pk=pk)
    return _calls(request, AuthorizationSite.of_connection(connection))


@require_safe
def installed_calls(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a client all calls of an installed connection in Production."""
    clients = Organization.objects.allowing(request.user, Action.AUTHORIZE_INSTALLED)
    rows = InstalledConnection.objects.filter(organization__in=clients)
    row = get_object_or_404(rows.select_related("connection__application", "organization"), pk=pk)
    return _calls(request, AuthorizationSite.of_installed(row))


def _calls(request: SignedInRequest, site: AuthorizationSite) -> HttpResponse:
    form = CallFilterForm(request.GET, site=site, user=request.user)
    page = paginate(form.invocations(), request.GET, by="at", size=PAGE_SIZE)
    context = {"site": site, "form": form, "page": page, "chart": draw(form.counted(), form.span)}
    template = "invocations/connection_calls.html"
    if request.htmx and request.htmx.target == "table":
        return render(request, f"{template}#table", context)
    context |= {
        "connection": site.connection,
        "connector": site.connector,
        "usage": scope_usage(site.connection, request.user) if site.is_home else None,
        "days": settings.INVOCATION_DAYS,
    }
    return render(request, template, context)
