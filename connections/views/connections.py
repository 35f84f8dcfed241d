"""List of connections; details page; rename, change permissions, delete."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import prefetch_related_objects
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.authorizations import connection_deletion, granting
from connections.authorizations.forms import label_seen
from connections.models import Connection
from connections.models.authorization_site import AuthorizationSite
from connections.models.bulk_run import BulkAction
from connections.setup import changing
from connections.setup.connection_filters import ConnectionFilterForm, sort_of
from connections.setup.forms import PermissionsForm, RenameForm
from connections.setup.level import authorizations_in_use
from connections.views.flow_status import may_publish
from connections.views.people import people_of
from connections.views.return_url import return_url
from connectors.definitions.auth_type import AuthType
from connectors.definitions.registry import get_connectors
from console.accounts.http import SeeOther, SignedInRequest, show_results
from console.accounts.policy import Action
from console.components.models import Component
from console.invocations.models import Invocation
from console.keys.models import ApiKey
from console.optimistic_lock import EditConflict, fingerprint
from console.runtime.snippets import proxy_url, snippets
from console.saved_filters.filter_tabs import tabs_of

#: How many calls and components the page of a connection lists.
MAX_CALLS = 10
MAX_COMPONENTS = 20


@require_safe
def connection_list(request: SignedInRequest) -> HttpResponse:
    """Show the connections, newest first, filtered by the query string."""
    if not request.user.may(Action.MANAGE_CONNECTIONS):
        raise PermissionDenied
    form = ConnectionFilterForm(request.GET, user=request.user)
    sort = sort_of(request.GET)
    page = form.page(sort)
    template = "connections/connection_list.html"
    if request.htmx and request.htmx.target == "table":
        template += "#table"
    return render(
        request,
        template,
        {
            "form": form,
            "page": page,
            "columns": sort.heads(),
            "sort_order": sort.asked,
            "tags": form.tags(),
            "bulk_actions": BulkAction.choices,
            "filter_tabs": tabs_of(request),
            "filter_values": form.chosen.items(),
        },
    )


@require_safe
def connection_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one connection: its authorizations, permissions and references."""
    connection = get_object_or_404(
        Connection.objects.visible_to(request.user).select_related(
            "application__organization",
            "created_by",
            "owner",
            "disabled_by",
            "oauth_client",
        ),
        pk=pk,
    )
    if connection.is_draft:
        return SeeOther(reverse("connection_setup", args=[connection.pk, "name"]))
    return _detail_page(request, connection, RenameForm(instance=connection))


@require_POST
def connection_rename(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Rename a connection. Its link name and its authorizations stay as they are."""
    connection = get_object_or_404(
        Connection.objects.visible_to(request.user).created().select_related("application"), pk=pk
    )
    form = RenameForm(request.POST, instance=connection)
    try:
        if form.is_valid():
            changing.rename(form, request.user)
    except EditConflict as changed:
        return _detail_page(request, Connection.objects.get(pk=pk), form, changed)
    except IntegrityError:
        form.add_error("name", "Another connection just took this name. Choose another one.")
    if form.errors:
        return _detail_page(request, Connection.objects.get(pk=pk), form)
    messages.success(request, f"The connection is now named {connection}.")
    return SeeOther(connection.get_absolute_url())


@require_http_methods(["GET", "HEAD", "POST"])
def connection_permissions(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the requested permissions; granted ones stay until the next authorization."""
    connection = get_object_or_404(
        Connection.objects.visible_to(request.user)
        .created()
        .filter(auth_type=AuthType.OAUTH2, connector_slug__in=get_connectors())
        .select_related("application"),
        pk=pk,
    )
    form = PermissionsForm(request.POST if request.method == "POST" else None, instance=connection)
    added = form.add(request.GET.getlist("add")) if request.method != "POST" else []
    changed = None
    if request.method == "POST" and form.is_valid():
        try:
            changing.change_permissions(form, request.user)
        except EditConflict as error:
            changed = error
        else:
            messages.success(request, f"The permissions of {connection} were changed.")
            return SeeOther(return_url(request) or connection.get_absolute_url())
    saved = Connection.objects.get(pk=pk) if form.is_bound else connection
    return render(
        request,
        "connections/connection_permissions.html",
        {
            "connection": connection,
            "connector": connection.connector,
            "form": form,
            "added": added,
            "seen": fingerprint(form.display_values(saved)),
            "differences": changed.differences if changed else [],
        },
        status=409 if changed else 422 if form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def connection_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what stops working or what prevents it; a POST revokes everything and deletes."""
    connection = get_object_or_404(
        Connection.objects.visible_to(request.user).created().select_related("application"), pk=pk
    )
    held = connection_deletion.find_uses(connection)
    if request.method == "POST":
        try:
            sentences = connection_deletion.delete_connection(connection, request.user)
        except connection_deletion.ConnectionInUse as error:
            held = error
        else:
            messages.success(request, f"{connection} was deleted.")
            show_results(request, sentences)
            return SeeOther(reverse("connection_list"))
    return render(
        request,
        "connections/connection_delete.html",
        {
            "connection": connection,
            "connector": connection.connector,
            "held": held,
            "authorizations": connection.authorizations.filter(
                credential__isnull=False
            ).select_related("credential", "user"),
        },
        status=409 if request.method == "POST" else 200,
    )


def _detail_page(
    request: SignedInRequest,
    connection: Connection,
    form: RenameForm,
    changed: EditConflict | None = None,
) -> HttpResponse:
    prefetch_related_objects([connection], "released")  # each state of an authorization needs it
    site = AuthorizationSite.of_connection(connection)
    found = {
        authorization.environment: authorization
        for authorization in site.authorizations(request.user).select_related(
            "credential", "authorized_by"
        )
    }
    for authorization in found.values():
        authorization.connection = connection  # saves a query for each missing_scopes
    connector = connection.connector
    actions = connector.oauth2.actions if connector.oauth2 else {}
    components = Component.objects.filter(references__connection=connection)
    listed = list(components[:MAX_COMPONENTS])
    component_count = components.count() if len(listed) == MAX_COMPONENTS else len(listed)
    calls = Invocation.objects.visible_to(request.user).at(site).select_related("user")
    key = (
        ApiKey.objects.valid()
        .filter(application=connection.application_id, organization=site.organization)
        .order_by("environment", "-created_at")
        .first()
    )
    hint = f"“{key}” for {key.get_environment_display()}, {key.prefix}_…" if key else ""
    return render(
        request,
        "connections/connection_detail.html",
        {
            "connection": connection,
            "connector": connector,
            "form": form,
            "seen": fingerprint(form.display_values(connection)),
            "differences": changed.differences if changed else [],
            "places": [
                (e, given, label_seen(given))
                for e in connection.environments
                for given in [found.get(e.value)]
            ],
            "permissions": [(scope, actions.get(scope)) for scope in connection.scopes_asked],
            "parameters": [
                (p.label, p.choices.get(value, value))
                for p in connector.parameters
                if (value := connection.parameters.get(p.name))
            ],
            "components": listed,
            "component_count": component_count,
            "is_unused": any(a.credential_id for a in found.values()) and not component_count,
            "in_use": authorizations_in_use(connection),
            "calls": list(calls.order_by("-at")[:MAX_CALLS]),
            "call_days": settings.INVOCATION_DAYS,
            "key": key,
            "proxy_url": proxy_url(connection.link_name),
            "snippets": snippets(connection.snapshot, hint),
            "people_count": people_of(site).count() if site.is_personal else 0,
            "may_publish": may_publish(request, connection),
            "reusable": len(granting.reusable_credentials(site, request.user)) if not found else 0,
        },
        status=409 if changed else 422 if form.is_bound else 200,
    )
