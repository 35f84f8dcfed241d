"""Ask whether a different account replaces the one that a connection uses."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from connections.authorizations import replacing
from connections.models import PendingGrant
from connections.models.authorization_site import AuthorizationSite
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import Organization


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account_replace(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Name both accounts; a POST replaces the old one, or keeps it."""
    rows = PendingGrant.objects.filter(
        user=request.user, organization__in=Organization.objects.of(request.user)
    )
    pending = get_object_or_404(
        rows.select_related("connection__application__organization", "user", "client", "flow"),
        pk=pk,
    )
    site = AuthorizationSite.of_flow(pending, request.user)
    if request.method == "POST":
        return _decide(request, pending, site)
    return render(
        request,
        "connections/account_replace.html",
        {
            "pending": pending,
            "site": site,
            "connection": pending.connection,
            "connector": site.connector if site else pending.connection.connector,
            "close_url": site.url if site else "/",
        },
    )


def _decide(
    request: SignedInRequest, pending: PendingGrant, site: AuthorizationSite | None
) -> HttpResponse:
    name = site or pending.connection
    try:
        if request.POST.get("answer") == "replace":
            credential = replacing.replace(pending, request.user)
            words = f"{name} is authorized as {credential.label}."
        else:
            words = replacing.keep(pending)
    except replacing.ReplacementFailed as error:
        messages.error(request, str(error))
    else:
        if pending.flow is None:
            messages.success(request, words)
    if pending.flow:
        return SeeOther(pending.flow.get_absolute_url())
    return SeeOther(site.url if site else "/")
