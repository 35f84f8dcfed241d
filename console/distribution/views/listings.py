"""Pages to edit marketplace listings, and for operators to review them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.distribution import marketplace
from console.distribution.errors import DistributionError
from console.distribution.forms import ListingForm, PictureForm, ReviewForm
from console.distribution.models import Listing, Picture
from console.distribution.requirements import requirements_of


@require_http_methods(["GET", "HEAD", "POST"])
def listing_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the listing of an application; a POST saves it as a draft."""
    application = _application(request, pk)
    if request.method != "POST":
        return _page(request, application)
    form = ListingForm(request.POST, application=application)
    if not form.is_valid():
        return _page(request, application, form=form, status=422)
    save = partial(marketplace.save, application, form.cleaned_data, request.user)
    return _done(request, application, save, "The listing was saved as a draft.")


@require_POST
def picture_add(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Add a picture to the listing."""
    application = _application(request, pk)
    form = PictureForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, application, picture_form=form, status=422)
    picture, words = form.cleaned_data["picture"], form.cleaned_data["words"]
    add = partial(marketplace.add_picture, application, picture, words, request.user)
    return _done(request, application, add, "The picture was added.")


@require_POST
def picture_remove(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Remove a picture from the listing."""
    applications = Application.objects.allowing(request.user, Action.MANAGE_CLIENTS)
    rows = Picture.objects.filter(listing__application__in=applications)
    picture = get_object_or_404(rows.select_related("listing__application__organization"), pk=pk)
    remove = partial(marketplace.remove_picture, picture, request.user)
    return _done(request, picture.listing.application, remove, "The picture was removed.")


@require_POST
def listing_submit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Submit the listing for review."""
    application = _application(request, pk)
    done = "The listing was submitted. An operator will review it, and you will get a mail."
    return _done(request, application, partial(marketplace.submit, application, request.user), done)


@require_POST
def listing_withdraw(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Withdraw the submitted listing from review, or the published one from the marketplace."""
    application = _application(request, pk)
    done = "The listing was withdrawn. Organizations that have installed the application keep it."
    return _done(
        request, application, partial(marketplace.withdraw, application, request.user), done
    )


@require_safe
def review_list(request: SignedInRequest) -> HttpResponse:
    """List the listings that wait for review, oldest first."""
    rows = Listing.objects.filter(state=Listing.State.SUBMITTED).select_related(
        "application__organization", "submitted_by"
    )
    context = {"listings": rows.order_by("submitted_at")}
    return render(request, "distribution/review_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def listing_review(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a submitted listing; a POST publishes or refuses it."""
    rows = Listing.objects.filter(state=Listing.State.SUBMITTED).select_related(
        "application__organization", "release", "submitted_by"
    )
    row = get_object_or_404(rows, pk=pk)
    form = ReviewForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        note = form.cleaned_data["note"]
        try:
            if form.cleaned_data["decision"] == "publish":
                marketplace.publish(row, request.user)
                messages.success(request, f"{row} is now in the marketplace.")
            else:
                marketplace.refuse(row, note, request.user)
                messages.success(
                    request,
                    f"{row} was refused. The person who submitted it gets a mail with your reason.",
                )
        except DistributionError as error:
            messages.error(request, str(error))
        return SeeOther(reverse("review_list"))
    context = {
        "listing": row,
        "form": form,
        "pictures": row.pictures.defer("content"),
        "requirements": requirements_of(row.release.manifest),
        "published": row.application.listings.published().first(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "distribution/listing_review.html", context, status=status)


@require_safe
def listing_picture(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Serve a picture of a published listing, or of one that the person may edit or review."""
    own = Application.objects.allowing(request.user, Action.MANAGE_CLIENTS)
    seen = Q(listing__state=Listing.State.PUBLISHED) | Q(listing__application__in=own)
    if request.user.is_superuser:
        seen |= Q(listing__state=Listing.State.SUBMITTED)
    picture = get_object_or_404(Picture.objects.filter(seen), pk=pk)
    response = HttpResponse(bytes(picture.content), content_type=picture.media_type)
    response["Content-Disposition"] = "inline"
    return response


def _application(request: SignedInRequest, pk: uuid.UUID) -> Application:
    applications = Application.objects.allowing(request.user, Action.MANAGE_CLIENTS)
    return get_object_or_404(applications.select_related("organization"), pk=pk)


def _page(
    request: SignedInRequest,
    application: Application,
    *,
    form: ListingForm | None = None,
    picture_form: PictureForm | None = None,
    status: int = 200,
) -> HttpResponse:
    row = marketplace.current_listing(application)
    if form is None:
        known: dict[str, Any] = {} if row else {"title": application.name[:60]}
        form = ListingForm(application=application, instance=row, initial=known)
    context = {
        "application": application,
        "listing": row,
        "form": form,
        "picture_form": picture_form or PictureForm(),
        "pictures": row.pictures.defer("content") if row else [],
        "published": application.listings.published().first(),
        "has_releases": application.releases.exists(),
    }
    return render(request, "distribution/listing_edit.html", context, status=status)


def _done(
    request: SignedInRequest, application: Application, verb: Callable[[], Any], done: str
) -> HttpResponse:
    try:
        verb()
    except DistributionError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return SeeOther(reverse("listing_edit", args=[application.pk]))
