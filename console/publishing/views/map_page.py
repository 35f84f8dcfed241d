"""The map of an application, on its own page and in the application's page."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.publishing.application_map import draw
from console.publishing.environment_state import release_in_stage, states_across
from console.publishing.manifest import Manifest, development_manifest
from console.publishing.map_choices import MapChoices


@require_safe
def application_map(request: SignedInRequest, link_name: str) -> HttpResponse:
    """Show which components call which connections, and where those work."""
    application = (
        Application.objects.allowing(request.user, Action.MANAGE_CONNECTIONS)
        .select_related("organization")
        .filter(link_name=link_name)
        .first()
    )
    if application is None:
        raise Http404
    components = list(
        application.components.only("application", "kind", "name", "link_name", "definition")
    )
    development = development_manifest(application, components)
    release = release_in_stage(application)
    stage = release.manifest if release else Manifest()
    states = states_across(
        application,
        {
            Environment.DEVELOPMENT: development.connections.values(),
            # For connections that are not in Stage yet, show what publishing them would give.
            Environment.STAGE: {**development.connections, **stage.connections}.values(),
        },
        request.user,
    )
    urls = {component.link_name: component.get_absolute_url() for component in components}
    choices = MapChoices.from_query(request.GET)
    return render(
        request,
        "publishing/application_map.html",
        {
            "application": application,
            "picture": draw(development, states.values(), urls, choices),
            "choices": choices,
        },
    )
