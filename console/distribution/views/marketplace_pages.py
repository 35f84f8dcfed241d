"""Pages of the marketplace, and the pages to install a listed or shared application."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.distribution import installing
from console.distribution.errors import DistributionError
from console.distribution.installing import InstallOffer
from console.distribution.models import Listing, Share
from console.distribution.requirements import requirements_of
from console.distribution.views.acting_organization import organization_for
from console.publishing.models import Installation

PAGE_SIZE = 60


@require_safe
def marketplace(request: SignedInRequest) -> HttpResponse:
    """List published applications, filtered by the words of a search."""
    words = request.GET.get("q", "").replace("\0", "")[:100]
    rows = Listing.objects.published().select_related("application__organization")
    for word in words.split():
        rows = rows.filter(
            Q(title__icontains=word)
            | Q(summary__icontains=word)
            | Q(description__icontains=word)
            | Q(application__organization__name__icontains=word)
        )
    found = list(rows.defer("description")[: PAGE_SIZE + 1])
    context = {
        "listings": found[:PAGE_SIZE],
        "more": len(found) > PAGE_SIZE,
        "q": words,
        "reviews": Listing.objects.filter(state=Listing.State.SUBMITTED).count()
        if request.user.is_superuser
        else 0,
    }
    return render(request, "distribution/marketplace.html", context)


@require_safe
def listing_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show an application in the marketplace and what it asks for."""
    listing = _listing(pk)
    here = request.organization
    installed = None
    if here:
        installations = Installation.objects.allowing(request.user, Action.USE_INSTALLED)
        installed = installations.filter(application=pk, organization=here).first()
    own = Organization.objects.allowing(request.user, Action.MANAGE_INSTALLATIONS)
    context = {
        "listing": listing,
        "application": listing.application,
        "pictures": listing.pictures.defer("content"),
        "requirements": requirements_of(listing.release.manifest),
        "installed": installed,
        "may_install": own.exists(),
        "is_own": here is not None and here.pk == listing.application.organization_id,
    }
    return render(request, "distribution/listing_detail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def listing_install(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what the application asks for; a POST installs it from the marketplace."""
    listing = _listing(pk)
    organization = organization_for(request, Action.MANAGE_INSTALLATIONS)
    back = reverse("listing_detail", args=[pk])
    if organization is None:
        messages.warning(
            request, "Choose the organization to install it in, at the top of the menu on the left."
        )
        return SeeOther(back)
    return _install(request, installing.offer_from_listing(listing, organization), back)


@require_http_methods(["GET", "HEAD", "POST"])
def share_install(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what the application asks for; a POST installs the shared release."""
    rows = Share.objects.offered_to(request.user).select_related(
        "application__organization", "client", "release"
    )
    offer = installing.offer_from_share(get_object_or_404(rows, pk=pk))
    return _install(request, offer, reverse("installation_list"))


def _install(request: SignedInRequest, offer: InstallOffer, back: str) -> HttpResponse:
    installed = Installation.objects.filter(
        application=offer.application, organization=offer.organization
    ).first()
    if request.method == "POST":
        try:
            result = installing.install(offer, request.user, seen=request.POST.get("seen", ""))
        except DistributionError as error:
            messages.error(request, str(error))
            return SeeOther(request.get_full_path())
        if result.is_new:
            messages.success(
                request,
                f"{offer.application} is installed. Next, authorize its connections.",
            )
        else:
            messages.info(request, f"{offer.application} is already installed.")
        return SeeOther(reverse("installation_detail", args=[result.installation.pk]))
    context = {
        "offer": offer,
        "requirements": requirements_of(offer.release.manifest),
        "installed": installed,
        "problem": "" if installed else installing.install_problem(offer),
        "back": back,
    }
    return render(request, "distribution/install.html", context)


def _listing(pk: uuid.UUID) -> Listing:
    rows = Listing.objects.published().select_related("application__organization", "release")
    return get_object_or_404(rows, application=pk)
