"""Open an application: it learns who does by a token that this console signs."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.keys.forms import OpenForm
from console.keys.key_site import KeySite, at_client, at_home
from console.keys.user_tokens import token_for
from console.publishing.models import Installation


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def application_open(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask in which environment; a POST hands the application a token, or shows it."""
    applications = Application.objects.allowing(request.user, Action.MANAGE_COMPONENTS)
    application = get_object_or_404(applications.select_related("organization"), pk=pk)
    form = OpenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return render(
            request,
            "keys/application_open.html",
            {"application": application, "form": form},
            status=422 if form.is_bound else 200,
        )
    return _opened(request, at_home(application), form.cleaned_data["environment"])


@never_cache
@require_POST
def installation_open(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Hand an installed application a token of the person, or show it."""
    rows = Installation.objects.allowing(request.user, Action.USE_INSTALLED)
    rows = rows.select_related("application__organization", "organization")
    place = at_client(get_object_or_404(rows, pk=pk))
    if place.has_ended:
        messages.error(
            request, f"The license of {place.application} has ended, so it is not opened."
        )
        return SeeOther(place.url)
    return _opened(request, place, Environment.PRODUCTION)


def _opened(request: SignedInRequest, place: KeySite, environment: str) -> HttpResponse:
    """Lead a person into an application with a token, where it says where it is.

    The page sends the token as a form, so that it stands in no address; without scripts it
    has a button. Whether he may open it is for the caller to know.
    """
    application = place.application
    response = render(
        request,
        "keys/application_opened.html",
        {
            "place": place,
            "application": application,
            "environment": environment,
            "token": token_for(request.user, application, place.organization, environment),
        },
    )
    if application.launch_url:
        # The page may send forms to itself and to the application, and nowhere else.
        parts = urlsplit(application.launch_url)
        response._csp_update = {  # type: ignore[attr-defined]
            "form-action": [f"{parts.scheme}://{parts.netloc}"]
        }
    return response
