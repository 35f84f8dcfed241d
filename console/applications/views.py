"""List of applications, and the pages to create, open, change and delete one."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.models import Connection
from connections.setup.connection_filters import page_of, sort_of
from console.accounts.http import SeeOther, SignedInRequest, show_results
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications import application_changes
from console.applications.forms import ApplicationForm
from console.applications.models import Application
from console.distribution import application_deletion
from console.optimistic_lock import EditConflict, fingerprint
from console.publishing.environment_state import release_in_stage
from console.publishing.manifest import Manifest, development_manifest
from console.publishing.manifest_diff import changes

TEMPLATE = "applications/application_detail.html"
#: How many of the latest components the page of an application shows.
LATEST = 8


@require_safe
def application_list(request: SignedInRequest) -> HttpResponse:
    """Show the applications that the person may build."""
    if not request.user.may(Action.MANAGE_CONNECTIONS):
        raise PermissionDenied
    applications = Application.objects.allowing(
        request.user, Action.MANAGE_CONNECTIONS
    ).select_related("organization")
    return render(
        request,
        "applications/application_list.html",
        {
            "applications": applications,
            "may_create": request.user.may(Action.CREATE_APPLICATIONS),
        },
    )


@require_safe
def application_detail(request: SignedInRequest, link_name: str) -> HttpResponse:
    """Show an application: its components, connections, and its release in Stage."""
    application = _application(request, link_name)
    return render(request, TEMPLATE, _page_of(request, application))


@require_safe
def application_unpublished(request: SignedInRequest, link_name: str) -> HttpResponse:
    """Compare Development with Stage, and say on the same page how many components differ.

    The page of an application loads it afterwards: it reads every definition.
    """
    application = _application(request, link_name)
    release = release_in_stage(application)
    stage = release.manifest if release else Manifest()
    changed = len(changes(stage, development_manifest(application)).components)
    if request.htmx:
        may_publish = application.allows(request.user, Action.PUBLISH)
        found = {"application": application, "changed": changed, "may_publish": may_publish}
        return render(request, f"{TEMPLATE}#unpublished", found)
    return render(request, TEMPLATE, _page_of(request, application) | {"changed": changed})


@require_http_methods(["GET", "HEAD", "POST"])
def application_create(request: SignedInRequest) -> HttpResponse:
    """Show the form for a new application; a POST creates it."""
    own = Organization.objects.allowing(request.user, Action.CREATE_APPLICATIONS)
    organization = own.first()
    if organization is None:
        raise PermissionDenied
    posted = request.POST if request.method == "POST" else None
    form = ApplicationForm(posted, organization=organization)
    if posted is not None and form.is_valid():
        try:
            application = application_changes.create(form, request.user)
        except IntegrityError:
            form.add_error("link_name", "Another application just took this link name.")
        else:
            messages.success(request, f"{application} was created.")
            return SeeOther(application.get_absolute_url())
    return render(
        request,
        "applications/application_create.html",
        {"form": form, "organization": organization},
        status=200 if posted is None else 422,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def application_settings(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the name and launch URL of an application; a POST changes them."""
    application = _changeable(request, pk)
    posted = request.POST if request.method == "POST" else None
    form = ApplicationForm(posted, instance=application, organization=application.organization)
    changed = None
    if posted is not None and form.is_valid():
        try:
            application_changes.change(form, request.user)
        except EditConflict as error:
            changed = error
        else:
            messages.success(request, f"{application} was saved.")
            return SeeOther(application.get_absolute_url())
    saved = _changeable(request, pk)
    return render(
        request,
        "applications/application_settings.html",
        {
            "application": saved,
            "form": form,
            "seen": fingerprint(form.display_values(saved)),
            "differences": changed.differences if changed else [],
        },
        status=409 if changed else 200 if posted is None else 422,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def application_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what is deleted with an application, or what keeps it; a POST deletes it."""
    application = _changeable(request, pk)
    problem = application_deletion.why_kept(application)
    if request.method == "POST":
        try:
            sentences = application_deletion.delete_application(application, request.user)
        except application_deletion.ApplicationKept as error:
            problem = str(error)
        else:
            messages.success(request, f"{application} was deleted.")
            show_results(request, sentences)
            return SeeOther(reverse("application_list"))
    return render(
        request,
        "applications/application_delete.html",
        {
            "application": application,
            "problem": problem,
            "components": application.components.count(),
            "connections": application.connections.count(),
        },
        status=409 if request.method == "POST" else 200,
    )


def _changeable(request: SignedInRequest, pk: uuid.UUID) -> Application:
    rows = Application.objects.allowing(request.user, Action.CREATE_APPLICATIONS)
    return get_object_or_404(rows.select_related("organization"), pk=pk)


def _application(request: SignedInRequest, link_name: str) -> Application:
    application = (
        Application.objects.allowing(request.user, Action.MANAGE_CONNECTIONS)
        .select_related("organization")
        .filter(link_name=link_name)
        .first()
    )
    if application is None:
        raise Http404
    return application


def _page_of(request: SignedInRequest, application: Application) -> dict[str, Any]:
    """Return the context of the page; no definition is read."""
    latest = application.components.defer("definition").order_by("-updated_at")[:LATEST]
    component_count = application.components.count()
    release = release_in_stage(application)
    return {
        "application": application,
        "page": page_of(
            Connection.objects.visible_to(request.user).created().filter(application=application),
            request.user,
            sort_of(request.GET),
        ),
        "release": release,
        # None until it is compared. Without a release, every component is unpublished.
        "changed": None if release else component_count,
        "components": list(latest),
        "component_count": component_count,
        "may_publish": application.allows(request.user, Action.PUBLISH),
        "may_change": application.allows(request.user, Action.CREATE_APPLICATIONS),
    }
