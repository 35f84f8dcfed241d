"""Write, submit, review and withdraw what the marketplace says of an application.

Each verb asks in its own transaction whether ``by`` may (``NotAllowed``) and raises
:class:`~console.distribution.errors.Refused` with a sentence where it cannot be done.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from console.accounts import authority
from console.accounts.authority import NotAllowed
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.distribution.errors import DistributionError
from console.distribution.models import Listing, Picture
from console.distribution.notifications import mail
from console.distribution.pictures import SanitizedPicture
from console.public_url import public_url

State = Listing.State
#: What is written by hand, and copied when a published listing is changed.
WRITTEN = ("release", "title", "summary", "description", "help_url")


def current_listing(application: Application) -> Listing | None:
    """Return what is being written or reviewed, or else what is published."""
    rows = application.listings.select_related("release", "application__organization")
    return rows.open().first() or rows.published().first()


@transaction.atomic
def save(application: Application, values: dict[str, Any], by: User) -> Listing:
    """Keep what was written as a draft; what is published stays until that is reviewed."""
    row = _draft(application, by)
    for name in WRITTEN:
        setattr(row, name, values[name])
    row.save()
    _record(AuditAction.LISTING_SAVED, row, by)
    return row


@transaction.atomic
def add_picture(application: Application, picture: SanitizedPicture, words: str, by: User) -> Picture:
    """Put a picture behind those that are there."""
    row = _draft(application, by)
    if row._state.adding:
        raise DistributionError("Write the title and the description first, and save them.")
    if row.pictures.count() >= Listing.MAX_PICTURES:
        raise DistributionError(
            f"A listing has {Listing.MAX_PICTURES} pictures at most. Remove one first."
        )
    added = Picture.objects.create(
        listing=row,
        words=words,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        content=picture.content,
    )
    _record(AuditAction.LISTING_SAVED, row, by, picture_added=words)
    return added


@transaction.atomic
def remove_picture(picture: Picture, by: User) -> None:
    """Take a picture away; the published listing keeps it until the next one is."""
    row = _draft(picture.listing.application, by)
    words = picture.words
    own = row.pictures.filter(content=picture.content, words=words).first()
    if own is None:
        raise DistributionError("This picture is not there any more.")
    own.delete()
    _record(AuditAction.LISTING_SAVED, row, by, picture_removed=words)


@transaction.atomic
def submit(application: Application, by: User) -> Listing:
    """Ask the operator to look at it."""
    _hold(application, by)
    row = _open(application, State.DRAFT, State.REFUSED)
    row.state, row.review_note = State.SUBMITTED, ""
    row.submitted_by, row.submitted_at = by, timezone.now()
    row.save()
    _record(AuditAction.LISTING_SUBMITTED, row, by)
    operators = User.objects.filter(is_superuser=True, is_active=True).order_by("email")
    mail("submitted", operators, listing=row, by=by, url=public_url("listing_review", row.pk))
    return row


@transaction.atomic
def withdraw(application: Application, by: User) -> Listing:
    """Take back what waits for review, or else the published listing; clients keep theirs."""
    _hold(application, by)
    rows = application.listings.select_for_update()
    row = rows.filter(state=State.SUBMITTED).first() or rows.published().first()
    if row is None:
        raise DistributionError(f"{application} is neither in the marketplace nor waiting for it.")
    waits = row.state == State.SUBMITTED
    row.state = State.DRAFT if waits else State.WITHDRAWN
    row.save(update_fields=["state"])
    _record(AuditAction.LISTING_WITHDRAWN, row, by)
    return row


@transaction.atomic
def publish(listing: Listing, by: User) -> Listing:
    """Put a listing that was submitted into the marketplace, in the place of an earlier one."""
    row = _for_review(listing, by)
    row.application.listings.published().update(state=State.WITHDRAWN)
    row.state, row.reviewed_at, row.review_note = State.PUBLISHED, timezone.now(), ""
    row.save()
    _record(AuditAction.LISTING_PUBLISHED, row, by)
    _answer(row, "listing_detail")
    return row


@transaction.atomic
def refuse(listing: Listing, note: str, by: User) -> Listing:
    """Send a listing back with a reason; what is published stays."""
    row = _for_review(listing, by)
    row.state, row.reviewed_at, row.review_note = State.REFUSED, timezone.now(), note
    row.save()
    _record(AuditAction.LISTING_REFUSED, row, by, note=note)
    _answer(row, "listing_edit")
    return row


def _hold(application: Application, by: User) -> None:
    lock_application(application)
    authority.hold(by, application.organization, Action.MANAGE_CLIENTS)


def _open(application: Application, *states: str) -> Listing:
    rows = application.listings.select_for_update(of=("self",)).select_related(
        "application__organization", "release"
    )
    row = rows.filter(state__in=states).first()
    if row is None:
        raise DistributionError("This listing is not open any more. Look at how it stands now.")
    return row


def _draft(application: Application, by: User) -> Listing:
    """Return the row to write into: the open one, a copy of the published one, or a new one."""
    _hold(application, by)
    rows = application.listings.select_for_update()
    row = rows.open().first()
    if row and row.state == State.SUBMITTED:
        raise DistributionError("It waits for review, so it cannot be changed. Take it back first.")
    published = None if row else rows.published().first()
    if published:
        copied = {name: getattr(published, name) for name in WRITTEN}
        row = Listing.objects.create(application=application, **copied)
        for picture in published.pictures.all():
            picture.pk, picture.listing, picture._state.adding = None, row, True
            picture.id = Picture._meta.get_field("id").get_default()
            picture.save()
    return row or Listing(application=application)


def _for_review(listing: Listing, by: User) -> Listing:
    lock_application(listing.application)
    operators = User.objects.select_for_update(no_key=True)
    if not operators.filter(pk=by.pk, is_superuser=True, is_active=True):
        raise NotAllowed(f"{by} does not run this deployment any more, so nothing was changed.")
    row = _open(listing.application, State.SUBMITTED)
    if row.pk != listing.pk:
        raise DistributionError("This listing does not wait for review any more.")
    return row


def _answer(row: Listing, route: str) -> None:
    if row.submitted_by:
        url = public_url(route, row.application_id)
        mail("reviewed", [row.submitted_by], listing=row, url=url)


def _record(act: AuditAction, row: Listing, by: User, **details: Any) -> None:
    record(
        act,
        row.application.organization_id,
        by,
        row,
        application=row.application.name,
        release=row.release.number,
        **details,
    )
