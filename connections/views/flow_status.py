"""What the pages show about a flow."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet

from connections.models import Connection, Flow
from connections.models.authorization_site import AuthorizationSite
from console.accounts.http import SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.choices import ComponentKind
from console.components.models import Component

#: How many functions are read to find one that is harmless to try.
FUNCTIONS_READ = 50


def flow_context(flow: Flow, request: SignedInRequest) -> dict[str, Any]:
    """Return the template context of the status of a flow, and of the page with its result."""
    # None if the person may no longer authorize it, or it is no longer installed.
    site = AuthorizationSite.of_flow(flow, request.user)
    context: dict[str, Any] = {
        "flow": flow,
        "pk": flow.pk,
        "site": site,
        "connection": flow.connection,
    }
    context["connector"] = site.connector if site else flow.connection.connector
    if site:
        query = [("environment", each) for each in flow.environments]
        query += [("next", flow.return_url)] * bool(flow.return_url)
        context["retry_url"] = f"{site.authorize_url}?{urlencode(query)}"
    context["ended"] = flow.is_waiting and flow.is_expired
    if site and flow.outcome == Flow.Outcome.COMPLETED:
        context["may_publish"] = may_publish(request, site.connection)
        context["to_run"] = function_to_try(request, site.connection) if site.is_home else None
        context["authorization"] = (
            site.authorizations(flow.user)
            .filter(environment__in=flow.environments)
            .select_related("credential", "connection")
            .first()
        )
    return context


def flows_of(request: SignedInRequest) -> QuerySet[Flow]:
    """Return the person's flows in their organizations."""
    return Flow.objects.filter(
        user=request.user, organization__in=Organization.objects.of(request.user)
    ).select_related("connection__application", "user")


def function_to_try(request: SignedInRequest, connection: Connection) -> Component | None:
    """Return a function that calls the connection, for a first try: one that only reads, if any."""
    allowing = Component.objects.allowing(request.user, Action.MANAGE_COMPONENTS)
    found = list(
        allowing.filter(references__connection=connection, kind=ComponentKind.FUNCTION).order_by(
            "name"
        )[:FUNCTIONS_READ]
    )
    return next(filter(_only_reads, found), found[0] if found else None)


def _only_reads(component: Component) -> bool:
    definition = json.loads(component.definition)
    return all(call.get("method", "GET") == "GET" for call in definition.get("calls", []))


def may_publish(request: SignedInRequest, connection: Connection) -> bool:
    """Tell whether the person may publish the connection's application, as a next step."""
    return connection.application.allows(request.user, Action.PUBLISH)
