"""The keys of an application: the list, a new one, and the end of one."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connections.standing import Environment
from console.accounts.policy import Action
from console.applications.models import Application
from console.http import SeeOther, SignedInRequest
from console.keys.forms import KeyForm
from console.keys.issuing import AT_HOME, NoSuchPlace, TooManyKeys, create_key, revoke_key
from console.keys.models import ApiKey
from console.signing_in.again import password_again

#: How many revoked ones the page remembers.
REVOKED_SHOWN = 10


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_list(request: SignedInRequest, pk: uuid.UUID) -> HttpResponseBase:
    """Show the keys of an application; a POST makes one and shows it this once."""
    if request.method != "POST":
        return _page(request, pk, KeyForm())
    if request.POST.get("environment") == Environment.DEVELOPMENT:
        return _create(request, pk)
    return password_again(_create)(request, pk)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def key_revoke(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Say what stops working; a POST ends the key."""
    keys = ApiKey.objects.allowing(request.user, Action.MANAGE_KEYS).select_related("application")
    key = get_object_or_404(keys, pk=pk)
    if request.method == "POST":
        revoke_key(key, request.user)
        messages.success(request, f"The key {key} does not count any more.")
        return SeeOther(reverse("key_list", args=[key.application_id]))
    return render(request, "keys/key_revoke.html", {"key": key, "application": key.application})


def _create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    application = _application(request, pk)
    form = KeyForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form, status=422)
    try:
        key, text = create_key(
            application,
            application.organization,
            form.cleaned_data["environment"],
            request.user,
            form.cleaned_data["name"],
        )
    except (TooManyKeys, NoSuchPlace) as error:
        form.add_error("environment", str(error))
        return _page(request, pk, form, status=409)
    return _page(request, pk, KeyForm(), created=key, text=text, status=201)


def _page(
    request: SignedInRequest,
    pk: uuid.UUID,
    form: KeyForm,
    *,
    created: ApiKey | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    application = _application(request, pk)
    keys = ApiKey.objects.filter(
        application=application, organization=application.organization, environment__in=AT_HOME
    ).select_related("created_by", "revoked_by")
    return render(
        request,
        "keys/key_list.html",
        {
            "application": application,
            "form": form,
            "created": created,
            "text": text,
            "keys": keys.valid().order_by("environment", "-created_at"),
            "revoked": keys.exclude(revoked_at=None).order_by("-revoked_at")[:REVOKED_SHOWN],
        },
        status=status,
    )


def _application(request: SignedInRequest, pk: uuid.UUID) -> Application:
    applications = Application.objects.allowing(request.user, Action.MANAGE_KEYS)
    return get_object_or_404(applications.select_related("organization"), pk=pk)
