"""Write, submit, review and withdraw the marketplace listing of an application.

Each function checks in its own transaction that ``by`` may do this (``NotAllowed``), and raises
:class:`~console.distribution.errors.DistributionError` if it is not possible.
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
#: The fields that people edit; they are copied when a published listing is changed.
EDITABLE_FIELDS = ("release", "title", "summary", "description", "help_url")


def current_listing(application: Application) -> Listing | None:
    """Return the listing that is being written or reviewed, or else the published one."""
    rows = application.listings.select_related("release", "application__organization")
    return rows.open().first() or rows.published().first()


@transaction.atomic
def save(application: Application, values: dict[str, Any], by: User) -> Listing:
    """Save a draft; the published listing stays until the draft has been reviewed."""
    row = _draft(application, by)
    for name in EDITABLE_FIELDS:
        setattr(row, name, values[name])
    row.save()
    _record(AuditAction.LISTING_SAVED, row, by)
    return row


@transaction.atomic
def add_picture(
    application: Application, picture: SanitizedPicture, words: str, by: User
) -> Picture:
    """Add a picture after the existing ones."""
    row = _draft(application, by)
    if row._state.adding:
        raise DistributionError("Save the title and the description first.")
    if row.pictures.count() >= Listing.MAX_PICTURES:
        raise DistributionError(
            f"A listing can have at most {Listing.MAX_PICTURES} pictures. Remove one first."
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
    """Remove a picture from the draft; the published listing keeps it until it is replaced."""
    row = _draft(picture.listing.application, by)
    words = picture.words
    copy = row.pictures.filter(content=picture.content, words=words).first()
    if copy is None:
        raise DistributionError("This picture has already been removed.")
    copy.delete()
    _record(AuditAction.LISTING_SAVED, row, by, picture_removed=words)


@transaction.atomic
def submit(application: Application, by: User) -> Listing:
    """Submit the draft for review by the operators of this console."""
    _lock(application, by)
    row = _lock_listing(application, State.DRAFT, State.REFUSED)
    row.state, row.review_note = State.SUBMITTED, ""
    row.submitted_by, row.submitted_at = by, timezone.now()
    row.save()
    _record(AuditAction.LISTING_SUBMITTED, row, by)
    operators = User.objects.filter(is_superuser=True, is_active=True).order_by("email")
    mail("submitted", operators, listing=row, by=by, url=public_url("listing_review", row.pk))
    return row


@transaction.atomic
def withdraw(application: Application, by: User) -> Listing:
    """Withdraw the submitted listing, or else the published one; installations stay."""
    _lock(application, by)
    rows = application.listings.select_for_update()
    row = rows.filter(state=State.SUBMITTED).first() or rows.published().first()
    if row is None:
        raise DistributionError(
            f"{application} is neither in the marketplace nor waiting for review."
        )
    was_submitted = row.state == State.SUBMITTED
    row.state = State.DRAFT if was_submitted else State.WITHDRAWN
    row.save(update_fields=["state"])
    _record(AuditAction.LISTING_WITHDRAWN, row, by)
    return row


@transaction.atomic
def publish(listing: Listing, by: User) -> Listing:
    """Publish a submitted listing; it replaces the earlier one."""
    row = _for_review(listing, by)
    row.application.listings.published().update(state=State.WITHDRAWN)
    row.state, row.reviewed_at, row.review_note = State.PUBLISHED, timezone.now(), ""
    row.save()
    _record(AuditAction.LISTING_PUBLISHED, row, by)
    _notify_submitter(row, "listing_detail")
    return row


@transaction.atomic
def refuse(listing: Listing, note: str, by: User) -> Listing:
    """Refuse a submitted listing with a reason; the published one stays."""
    row = _for_review(listing, by)
    row.state, row.reviewed_at, row.review_note = State.REFUSED, timezone.now(), note
    row.save()
    _record(AuditAction.LISTING_REFUSED, row, by, note=note)
    _notify_submitter(row, "listing_edit")
    return row


def _lock(application: Application, by: User) -> None:
    lock_application(application)
    authority.check_and_lock(by, application.organization, Action.MANAGE_CLIENTS)


def _lock_listing(application: Application, *states: str) -> Listing:
    rows = application.listings.select_for_update(of=("self",)).select_related(
        "application__organization", "release"
    )
    row = rows.filter(state__in=states).first()
    if row is None:
        raise DistributionError(
            "This listing has changed in the meantime. Check its current state."
        )
    return row


def _draft(application: Application, by: User) -> Listing:
    """Return the draft to edit: the open one, a copy of the published one, or a new one."""
    _lock(application, by)
    rows = application.listings.select_for_update()
    row = rows.open().first()
    if row and row.state == State.SUBMITTED:
        raise DistributionError(
            "The listing is waiting for review and cannot be changed. Take it back first."
        )
    published = None if row else rows.published().first()
    if published:
        copied = {name: getattr(published, name) for name in EDITABLE_FIELDS}
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
        raise NotAllowed(f"{by} is no longer an operator of this console, so nothing was changed.")
    row = _lock_listing(listing.application, State.SUBMITTED)
    if row.pk != listing.pk:
        raise DistributionError("This listing is no longer waiting for review.")
    return row


def _notify_submitter(row: Listing, route: str) -> None:
    if row.submitted_by:
        url = public_url(route, row.application_id)
        mail("reviewed", [row.submitted_by], listing=row, url=url)


def _record(action: AuditAction, row: Listing, by: User, **details: Any) -> None:
    record(
        action,
        row.application.organization_id,
        by,
        row,
        application=row.application.name,
        release=row.release.number,
        **details,
    )
