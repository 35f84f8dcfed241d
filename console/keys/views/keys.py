"""Pages to list, create and revoke the keys of an application."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connections.models import Authorization, Connection
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.keys.forms import KeyForm
from console.keys.issuing import NotRunningThere, TooManyKeys, create_key, revoke_key
from console.keys.key_site import KeySite, application_site, installation_site
from console.keys.models import ApiKey
from console.publishing.models import Installation
from console.signing_in.reauthentication import reauthentication_required

#: How many revoked keys the page shows.
REVOKED_SHOWN = 10


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_list(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """List the keys of an application; a POST creates one and shows it once."""
    applications = Application.objects.allowing(request.user, Action.MANAGE_KEYS)
    application = get_object_or_404(applications.select_related("organization"), pk=pk)
    return _keys(request, application_site(application))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def installation_keys(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Do the same for an installed application."""
    rows = Installation.objects.allowing(request.user, Action.MANAGE_INSTALLATIONS)
    rows = rows.select_related("application__organization", "organization")
    return _keys(request, installation_site(get_object_or_404(rows, pk=pk)))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for confirmation; a POST revokes the key."""
    key = _key(request, pk, Action.MANAGE_KEYS)
    return _revoke(request, key, application_site(key.application))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def installation_key_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Do the same for a key of an installed application, while it is installed."""
    key = _key(request, pk, Action.MANAGE_INSTALLATIONS)
    rows = Installation.objects.filter(organization=key.organization_id)
    rows = rows.select_related("application__organization", "organization")
    return _revoke(
        request, key, installation_site(get_object_or_404(rows, application=key.application_id))
    )


def _keys(request: SignedInRequest, site: KeySite) -> HttpResponseBase:
    if request.method != "POST":
        return _page(request, site, KeyForm(site=site))
    if request.POST.get("environment") == Environment.DEVELOPMENT and not site.installation:
        return _create(request, site)
    return reauthentication_required(_create)(request, site)


def _create(request: SignedInRequest, site: KeySite) -> HttpResponse:
    form = KeyForm(request.POST, site=site)
    if not form.is_valid():
        return _page(request, site, form, status=422)
    try:
        key, text = create_key(
            site.application,
            site.organization,
            form.chosen_environment,
            request.user,
            form.cleaned_data["name"],
        )
    except (TooManyKeys, NotRunningThere) as error:
        form.add_error("environment" if "environment" in form.fields else None, str(error))
        return _page(request, site, form, status=409)
    return _page(request, site, KeyForm(site=site), created=key, text=text, status=201)


def _page(
    request: SignedInRequest,
    site: KeySite,
    form: KeyForm,
    *,
    created: ApiKey | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    keys = site.keys.select_related("created_by", "revoked_by")
    example = None
    if created and not site.installation:
        example = _connection_to_call(site.application)
    return render(
        request,
        "keys/key_list.html",
        {
            "site": site,
            "application": site.application,
            "form": form,
            "created": created,
            "example": example,
            "public_url": settings.PUBLIC_URL,
            "text": text,
            "keys": keys.valid().order_by("environment", "-created_at"),
            "revoked": keys.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        },
        status=status,
    )


def _connection_to_call(application: Application) -> Connection | None:
    """Return the connection that was authorized last, for an example of a call."""
    authorized = Authorization.objects.filter(
        connection__application=application, state=Authorization.State.ACTIVE
    )
    newest = authorized.select_related("connection").order_by("-authorized_at").first()
    return newest.connection if newest else None


def _key(request: SignedInRequest, pk: uuid.UUID, action: Action) -> ApiKey:
    keys = ApiKey.objects.allowing(request.user, action)
    return get_object_or_404(keys.select_related("application__organization"), pk=pk)


def _revoke(request: SignedInRequest, key: ApiKey, site: KeySite) -> HttpResponse:
    if request.method == "POST":
        revoke_key(key, request.user)
        messages.success(request, f"API key {key} has been revoked.")
        return SeeOther(site.keys_url)
    context = {"key": key, "site": site, "application": site.application}
    return render(request, "keys/key_revoke.html", context)
