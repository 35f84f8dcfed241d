"""Share an application with a client: send updates, change the license, withdraw it.

Each function checks in its own transaction that ``by`` may do this (``NotAllowed``), and raises
:class:`~console.distribution.errors.DistributionError` if it is not possible.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format

from connections.models import InstalledConnection
from console.accounts import authority
from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.applications import rights
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record
from console.distribution.errors import DistributionError
from console.distribution.models import License, Share
from console.distribution.notifications import mail, members_who_may
from console.inviting.client_organizations import clients_of
from console.public_url import public_url
from console.publishing.models import Installation, Release


@transaction.atomic
def share(
    application: Application,
    client: Organization,
    release: Release,
    license: str,
    by: User,
    *,
    ends_at: datetime | None = None,
) -> Share:
    """Let a client install an application; a share that was withdrawn is restored.

    ``ends_at`` is the end of a subscription, if it has one.
    """
    lock_application(application)
    authority.check_and_lock(by, application.organization, Action.MANAGE_CLIENTS)
    row = Share.objects.select_for_update().filter(application=application, client=client).first()
    if row and not row.withdrawn_at:
        raise DistributionError(f"{application} is already shared with {client}.")
    if not clients_of(application.organization).filter(pk=client.pk).exists():
        raise DistributionError(
            f"{client} is not a client of {application.organization} yet. Invite it first."
        )
    if row is None or row.installation_id is None:
        if Installation.objects.filter(application=application, organization=client).exists():
            raise DistributionError(
                f"{client} has already installed {application} from the marketplace."
            )
    elif release.number < row.release.number:
        raise DistributionError(
            f"{client} already has {row.release}. Choose that release or a newer one."
        )
    if row is None:
        row = Share(application=application, client=client, created_by=by)
    row.release, row.withdrawn_at = release, None
    _set_license(row, license, ends_at)
    row.save()
    _record(AuditAction.SHARE_CREATED, row, by, license=license_description(row))
    url = public_url("share_install", row.pk)
    mail("shared", members_who_may(client, Action.MANAGE_INSTALLATIONS), share=row, by=by, url=url)
    return row


@transaction.atomic
def change_license(share: Share, license: str, by: User, *, ends_at: datetime | None) -> Share:
    """Change the license: extend a trial, or change the end date of a subscription."""
    row = _lock(share)
    authority.check_and_lock(by, row.application.organization, Action.MANAGE_CLIENTS)
    _set_license(row, license, ends_at)
    row.save()
    _record(AuditAction.SHARE_LICENSE_CHANGED, row, by, license=license_description(row))
    return row


@transaction.atomic
def send_update(share: Share, release: Release, by: User) -> Share:
    """Offer a newer release to the client; the installation changes once they accept it."""
    row = _lock(share)
    rights.hold(by, row.application, Action.DISTRIBUTE)
    if release.number <= row.release.number:
        raise DistributionError(
            f"{row.client} already has {row.release}, so choose a newer one. To return to earlier "
            "content, roll back in Stage: that creates a new release."
        )
    row.release = release
    row.save(update_fields=["release"])
    _record(AuditAction.SHARE_RELEASED, row, by)
    installed = row.installation_id is not None
    route = ("installation_update", row.installation_id) if installed else ("share_install", row.pk)
    mail(
        "released" if installed else "shared",
        members_who_may(row.client, Action.MANAGE_INSTALLATIONS),
        share=row,
        by=by,
        url=public_url(*route),
    )
    return row


@transaction.atomic
def withdraw(share: Share, by: User) -> Share:
    """End the access of the client at once; nothing of theirs is deleted."""
    row = _lock(share)
    authority.check_and_lock(by, row.application.organization, Action.MANAGE_CLIENTS)
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    _apply_end(row)
    _record(AuditAction.SHARE_WITHDRAWN, row, by)
    url = public_url("installation_list")
    mail("withdrawn", members_who_may(row.client, Action.MANAGE_INSTALLATIONS), share=row, url=url)
    return row


def license_description(share: Share) -> str:
    """Describe the license of a share: "Trial, 15 days, until 3 May 2027"."""
    words = License(share.license).label
    if share.ends_at:
        return f"{words}, until {date_format(timezone.localtime(share.ends_at), 'j F Y')}"
    trial = License(share.license).lasts is not None
    return f"{words} from the installation" if trial else f"{words} without an end date"


def _lock(share: Share) -> Share:
    """Lock a share that has not been withdrawn, after its application."""
    lock_application(share.application)
    rows = Share.objects.select_for_update(of=("self",)).select_related(
        "application__organization", "client", "release"
    )
    row = rows.get(pk=share.pk)
    if row.withdrawn_at:
        raise DistributionError(
            f"{row.application} was withdrawn from {row.client}. Share it again to change that."
        )
    return row


def _set_license(row: Share, license: str, ends_at: datetime | None) -> None:
    row.license = license
    row.ends_at = None if License(license).lasts else ends_at
    if row.started_at:
        row.begin()
    _apply_end(row)


def _apply_end(row: Share) -> None:
    """Set the end of the installation to the end of the share."""
    if row.installation_id:
        Installation.objects.filter(pk=row.installation_id).update(ends_at=row.end)
        InstalledConnection.objects.filter(
            connection__application=row.application_id, organization=row.client_id
        ).update(ends_at=row.end)


def _record(action: AuditAction, row: Share, by: User, **details: Any) -> None:
    record(
        action,
        row.application.organization_id,
        by,
        row,
        application=row.application.name,
        client=row.client.name,
        release=row.release.number,
        **details,
    )
