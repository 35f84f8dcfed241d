"""Edit the details of a connection; disable and enable it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from connections.models import Connection
from connections.setup.details import DetailsForm, save_details
from connections.setup.disabling import DisableForm, disable_connection, enable_connection
from connections.setup.level import (
    LevelAndEnvironmentsForm,
    LevelInUse,
    authorizations_in_use,
    change_level,
)
from console.accounts.http import SeeOther, SignedInRequest
from console.components.models import Component
from console.optimistic_lock import EditConflict, fingerprint


@require_http_methods(["GET", "HEAD", "POST"])
def connection_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Change the description, owner and tags."""
    connection = _connection(request, pk)
    form = DetailsForm(request.POST if request.method == "POST" else None, instance=connection)
    changed = None
    if form.is_bound and form.is_valid():
        try:
            save_details(form, request.user)
        except EditConflict as error:
            changed = error
        else:
            messages.success(request, f"The details of {connection} were saved.")
            return SeeOther(connection.get_absolute_url())
    saved = _connection(request, pk) if form.is_bound else connection
    seen = DetailsForm(instance=saved).display_values(saved)
    return render(
        request,
        "connections/connection_edit.html",
        {
            "connection": saved,
            "connector": saved.connector,
            "form": form,
            "seen": fingerprint(seen),
            "differences": changed.differences if changed else [],
        },
        status=409 if changed else 422 if form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def connection_level(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Change level and environments, as long as nobody has authorized the connection."""
    connection = _connection(request, pk)
    data = request.POST if request.method == "POST" else None
    form = LevelAndEnvironmentsForm(data, instance=connection)
    changed, in_use = None, authorizations_in_use(connection)
    if form.is_bound and not in_use and form.is_valid():
        try:
            change_level(form, request.user)
        except EditConflict as error:
            changed = error
        except LevelInUse:
            in_use = authorizations_in_use(connection)
        else:
            messages.success(request, f"Level and environments of {connection} were saved.")
            return SeeOther(connection.get_absolute_url())
    saved = _connection(request, pk) if form.is_bound else connection
    return render(
        request,
        "connections/connection_level.html",
        {
            "connection": saved,
            "connector": saved.connector,
            "form": form,
            "in_use": in_use,
            "seen": fingerprint(form.display_values(saved)),
            "differences": changed.differences if changed else [],
        },
        status=409 if changed or (in_use and form.is_bound) else 422 if form.is_bound else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def connection_disable(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what stops working; a POST disables the connection and keeps its authorizations."""
    connection = _connection(request, pk)
    form = DisableForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        if disable_connection(connection, request.user, form.cleaned_data["reason"]):
            messages.success(
                request, f"{connection} is disabled. Its authorizations are kept and renewed."
            )
        else:
            messages.info(request, f"{connection} was disabled already.")
        return SeeOther(connection.get_absolute_url())
    return render(
        request,
        "connections/connection_disable.html",
        {
            "connection": connection,
            "connector": connection.connector,
            "form": form,
            "components": Component.objects.filter(references__connection=connection).count(),
            "clients": connection.installed.live().count(),
        },
        status=422 if form.is_bound else 200,
    )


@require_POST
def connection_enable(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Enable the connection again."""
    connection = _connection(request, pk)
    if enable_connection(connection, request.user):
        messages.success(request, f"{connection} is enabled and makes calls again.")
    else:
        messages.info(request, f"{connection} was enabled already.")
    return SeeOther(connection.get_absolute_url())


def _connection(request: SignedInRequest, pk: uuid.UUID) -> Connection:
    rows = Connection.objects.visible_to(request.user).created()
    return get_object_or_404(
        rows.select_related("application__organization", "owner", "disabled_by"), pk=pk
    )
