"""Open an application with a signed token that identifies the person."""

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
from console.keys.key_site import KeySite, application_site, installation_site
from console.keys.user_tokens import token_for
from console.publishing.models import Installation


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def application_open(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for the environment; a POST sends a token to the application, or shows it."""
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
    return _opened(request, application_site(application), form.cleaned_data["environment"])


@never_cache
@require_POST
def installation_open(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Send a token to an installed application, or show it."""
    rows = Installation.objects.allowing(request.user, Action.USE_INSTALLED)
    rows = rows.select_related("application__organization", "organization")
    site = installation_site(get_object_or_404(rows, pk=pk))
    if site.has_ended:
        messages.error(
            request, f"The license of {site.application} has ended, so it cannot be opened."
        )
        return SeeOther(site.url)
    return _opened(request, site, Environment.PRODUCTION)


def _opened(request: SignedInRequest, site: KeySite, environment: str) -> HttpResponse:
    """Send a person to the application with a token, if it has a launch URL.

    A form sends the token, to keep it out of URLs; without scripts it has a button. The caller
    has checked that the person may open the application.
    """
    application = site.application
    response = render(
        request,
        "keys/application_opened.html",
        {
            "site": site,
            "application": application,
            "environment": environment,
            "token": token_for(request.user, application, site.organization, environment),
        },
    )
    if application.launch_url:
        # The page may submit forms only to itself and to the application.
        parts = urlsplit(application.launch_url)
        policy = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}
        setattr(response, "_csp_update", policy)  # noqa: B010  (as django-csp's decorators do)
    return response
