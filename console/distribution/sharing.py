"""Share an application with a client: at a release, for a time, until it is withdrawn.

Each verb asks in its own transaction whether ``by`` may (``NotAllowed``) and raises
:class:`~console.distribution.errors.Refused` with a sentence where it cannot be done.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
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
from console.inviting.models import Invitation
from console.public_url import public_url
from console.publishing.models import Installation, Release


def clients_of(organization: Organization) -> QuerySet[Organization]:
    """Keep the organizations that have become clients of this one, by their names."""
    accepted = Invitation.objects.as_client().filter(
        organization=organization, accepted_at__isnull=False
    )
    return Organization.objects.filter(pk__in=accepted.values("client")).order_by("name", "slug")


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
    """Let a client install an application; what was withdrawn before is shared anew.

    ``ends_at`` is the end of a subscription, if it has one.
    """
    lock_application(application)
    authority.hold(by, application.organization, Action.MANAGE_CLIENTS)
    row = Share.objects.select_for_update().filter(application=application, client=client).first()
    if row and not row.withdrawn_at:
        raise DistributionError(f"{application} is shared with {client} already.")
    if not clients_of(application.organization).filter(pk=client.pk).exists():
        raise DistributionError(
            f"{client} is no client of {application.organization} yet. Invite it first."
        )
    if row is None or row.installation_id is None:
        if Installation.objects.filter(application=application, organization=client).exists():
            raise DistributionError(
                f"{client} has installed {application} from the marketplace already."
            )
    elif release.number < row.release.number:
        raise DistributionError(
            f"{client} has {row.release} already. Choose that one or a newer one."
        )
    if row is None:
        row = Share(application=application, client=client, created_by=by)
    row.release, row.withdrawn_at = release, None
    _license(row, license, ends_at)
    row.save()
    _record(AuditAction.SHARE_CREATED, row, by, license=license_description(row))
    url = public_url("share_install", row.pk)
    mail("shared", members_who_may(client, Action.MANAGE_INSTALLATIONS), share=row, by=by, url=url)
    return row


@transaction.atomic
def change_license(share: Share, license: str, by: User, *, ends_at: datetime | None) -> Share:
    """Make a trial longer or a subscription, or end a subscription on another day."""
    row = _held(share)
    authority.hold(by, row.application.organization, Action.MANAGE_CLIENTS)
    _license(row, license, ends_at)
    row.save()
    _record(AuditAction.SHARE_LICENSE_CHANGED, row, by, license=license_description(row))
    return row


@transaction.atomic
def send_update(share: Share, release: Release, by: User) -> Share:
    """Release a newer one to the client; what is installed changes when he accepts it."""
    row = _held(share)
    rights.hold(by, row.application, Action.DISTRIBUTE)
    if release.number <= row.release.number:
        raise DistributionError(
            f"{row.client} has {row.release} already, so choose a newer one. To go back to what an "
            "earlier one held, roll back in Stage: that makes a new release."
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
    """Let the client use it no more, from this moment on; nothing of his is deleted."""
    row = _held(share)
    authority.hold(by, row.application.organization, Action.MANAGE_CLIENTS)
    row.withdrawn_at = timezone.now()
    row.save(update_fields=["withdrawn_at"])
    _apply(row)
    _record(AuditAction.SHARE_WITHDRAWN, row, by)
    url = public_url("installation_list")
    mail("withdrawn", members_who_may(row.client, Action.MANAGE_INSTALLATIONS), share=row, url=url)
    return row


def license_description(share: Share) -> str:
    """Say for how long: "Trial, 15 days, until 3 May 2027"."""
    words = License(share.license).label
    if share.ends_at:
        return f"{words}, until {date_format(timezone.localtime(share.ends_at), 'j F Y')}"
    trial = License(share.license).lasts is not None
    return f"{words} from the installation on" if trial else f"{words} without an end"


def _held(share: Share) -> Share:
    """Lock a share that is still open, its application first."""
    lock_application(share.application)
    rows = Share.objects.select_for_update(of=("self",)).select_related(
        "application__organization", "client", "release"
    )
    row = rows.get(pk=share.pk)
    if row.withdrawn_at:
        raise DistributionError(
            f"{row.application} was withdrawn from {row.client}. Share it anew to change that."
        )
    return row


def _license(row: Share, license: str, ends_at: datetime | None) -> None:
    row.license = license
    row.ends_at = None if License(license).lasts else ends_at
    if row.started_at:
        row.begin()
    _apply(row)


def _apply(row: Share) -> None:
    """Let what is installed end when the share does."""
    if row.installation_id:
        Installation.objects.filter(pk=row.installation_id).update(ends_at=row.end)
        InstalledConnection.objects.filter(
            connection__application=row.application_id, organization=row.client_id
        ).update(ends_at=row.end)


def _record(act: AuditAction, row: Share, by: User, **details: Any) -> None:
    record(
        act,
        row.application.organization_id,
        by,
        row,
        application=row.application.name,
        client=row.client.name,
        release=row.release.number,
        **details,
    )
