"""Pages of installed applications: overview, my connections, update and uninstall."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from console.accounts.http import SeeOther, SignedInRequest, show_results
from console.accounts.policy import Action
from console.distribution import installing, updating
from console.distribution.errors import DistributionError
from console.distribution.installed_run import runnable
from console.distribution.models import Share
from console.distribution.overview import active_member_count, installation_overviews
from console.distribution.requirements import component_counts, requirement_changes
from console.distribution.views.acting_organization import organization_for
from console.publishing.models import Installation
from console.signing_in.reauthentication import reauthentication_required


@require_safe
def installation_list(request: SignedInRequest) -> HttpResponse:
    """List the installed applications of the active organization, and those shared with it."""
    organization = organization_for(request, Action.USE_INSTALLED)
    user = request.user
    rows = Installation.objects.allowing(user, Action.USE_INSTALLED)
    rows = rows.filter(organization=organization).select_related(
        "application__organization", "release"
    )
    shares = Share.objects.offered_to(user).filter(client=organization, installation=None)
    context = {
        "installed": installation_overviews(organization, user, rows.order_by("application__name"))
        if organization
        else [],
        "shares": shares.select_related("application__organization", "release"),
        "manages": organization is not None and user.may(Action.MANAGE_INSTALLATIONS, organization),
        "organization": organization,
    }
    return render(request, "distribution/installation_list.html", context)


@require_safe
def installation_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the state of an installed application and the connections that have to be authorized."""
    installation = _installation(request, pk)
    (installed,) = installation_overviews(installation.organization, request.user, [installation])
    context = {
        "installation": installation,
        "installed": installed,
        "people": active_member_count(installation.organization),
        "authorizes_for_all": _runs_it(request, installation),
        "manages": request.user.may(Action.MANAGE_INSTALLATIONS, installation.organization),
        "runnable": runnable(installation),
        "share": Share.objects.filter(installation=installation).first(),
    }
    return render(request, "distribution/installation_detail.html", context)


@require_safe
def my_connections(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the connections that the person authorizes with their own account."""
    installation = _installation(request, pk)
    (installed,) = installation_overviews(installation.organization, request.user, [installation])
    context = {
        "installation": installation,
        "installed": installed,
        "manages": request.user.may(Action.MANAGE_INSTALLATIONS, installation.organization),
    }
    return render(request, "distribution/my_connections.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def installation_update(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what a newer release changes; a POST installs or skips it."""
    installation = _installation(request, pk, Action.MANAGE_INSTALLATIONS)
    detail_url = reverse("installation_detail", args=[pk])
    if request.method == "POST":
        seen = request.POST.get("seen", "")
        try:
            if "leave" in request.POST:
                updating.skip(installation, request.user, seen=seen)
                messages.success(
                    request,
                    f"{installation} stays at {installation.release}. You can update later.",
                )
            else:
                sentences = updating.update(installation, request.user, seen=seen)
                messages.success(request, f"{installation} was updated.")
                show_results(request, sentences)
        except DistributionError as error:
            messages.error(request, str(error))
        return SeeOther(detail_url)
    release = updating.newer_releases([installation]).get(installation.pk)
    context: dict[str, Any] = {"installation": installation, "release": release}
    if release:
        before, after = installation.release.manifest, release.manifest
        context |= {
            "requirement_changes": requirement_changes(before, after),
            "component_counts": component_counts(before, after),
        }
    return render(request, "distribution/installation_update.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required
def installation_uninstall(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Ask for confirmation; a POST uninstalls the application and revokes its authorizations."""
    installation = _installation(request, pk, Action.MANAGE_INSTALLATIONS)
    if request.method == "POST":
        try:
            sentences = installing.uninstall(installation, request.user)
        except DistributionError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"{installation} was uninstalled.")
            show_results(request, sentences)
        return SeeOther(reverse("installation_list"))
    (installed,) = installation_overviews(installation.organization, request.user, [installation])
    context = {
        "installation": installation,
        "installed": installed,
        "runnable": runnable(installation),
    }
    return render(request, "distribution/installation_uninstall.html", context)


def _installation(
    request: SignedInRequest, pk: uuid.UUID, action: Action = Action.USE_INSTALLED
) -> Installation:
    rows = Installation.objects.allowing(request.user, action).select_related(
        "application__organization", "organization", "release", "installed_by"
    )
    return get_object_or_404(rows, pk=pk)


def _runs_it(request: SignedInRequest, installation: Installation) -> bool:
    """Tell whether the person may authorize connections for the whole organization."""
    rows = Installation.objects.allowing(request.user, Action.AUTHORIZE_INSTALLED)
    return rows.filter(pk=installation.pk).exists()
