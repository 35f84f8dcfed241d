"""List of applications, and the page of one application."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from connections.models import Connection
from connections.setup.connection_filters import page_of
from console.accounts.http import SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.publishing.environment_state import release_in_stage
from console.publishing.manifest import Manifest, development_manifest
from console.publishing.manifest_diff import changes

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
    development = development_manifest(application, components)
    release = release_in_stage(application)
    stage = release.manifest if release else Manifest()
    return render(
        request,
        "applications/application_detail.html",
        {
            "application": application,
            "page": page,
            "release": release,
            "changed": len(changes(stage, development).components),
            "components": components[:LATEST],
            "component_count": len(components),
            "may_publish": application.allows(request.user, Action.PUBLISH),
        },
    )
