"""Move an installation to a newer release, or leave that: the client's super admin decides."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from connections.authorizations.revocation_request import erase_each
from connections.authorizations.suspending import Told
from connections.models import InstalledConnection
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.locks import lock_application
from console.audit.actions import AuditAction
from console.distribution import installing
from console.distribution.errors import DistributionError
from console.distribution.models import Listing, Share
from console.distribution.requirements import authorizations_carry_over
from console.publishing.models import Installation, Release


def newer_releases(installations: Iterable[Installation]) -> dict[uuid.UUID, Release]:
    """Return by installation the newer release that is offered, left or not, if there is one.

    What was shared is updated by its share, what came from the marketplace by its listing.
    """
    installations = list(installations)
    shares = Share.objects.filter(installation__in=installations).select_related("release")
    shared = {share.installation_id: share for share in shares}
    listings = Listing.objects.published().filter(
        application__in=[each.application_id for each in installations]
    )
    listed = {row.application_id: row.release for row in listings.select_related("release")}
    found = {}
    for each in installations:
        share = shared.get(each.pk)
        release = share.release if share else listed.get(each.application_id)
        if share and share.has_ended:
            continue
        if release and release.number > each.release.number:
            found[each.pk] = release
    return found


def update(installation: Installation, by: User, *, seen: str) -> list[str]:
    """Put the release that is offered in the place of the installed one.

    What was authorized keeps working, but for connections that fell away or are authorized
    by others, elsewhere or in another way now. ``seen`` is the key of the release that the
    person decided on. Return a sentence for each account that was given back; raise
    :class:`Refused`.
    """
    with transaction.atomic():
        row, release = _held(installation, by, seen)
        before = row.release.manifest.connections
        row.release, row.updated_at, row.left = release, timezone.now(), None
        row.save(update_fields=["release", "updated_at", "left"])
        told, keys = _rewrite(row, by)
        installing.record(
            AuditAction.INSTALLATION_UPDATED, row, by, told, connections=sorted(before)
        )
    return erase_each(keys, by)


@transaction.atomic
def leave(installation: Installation, by: User, *, seen: str) -> None:
    """Keep the installed release, and remember that this newer one was left."""
    row, release = _held(installation, by, seen)
    row.left = release
    row.save(update_fields=["left"])
    installing.record(AuditAction.INSTALLATION_UPDATE_LEFT, row, by, left=release.number)


def _held(installation: Installation, by: User, seen: str) -> tuple[Installation, Release]:
    lock_application(installation.application)
    authority.hold(by, installation.organization, Action.MANAGE_INSTALLATIONS)
    rows = Installation.objects.select_for_update(of=("self",)).select_related(
        "application", "organization", "release"
    )
    row = rows.filter(pk=installation.pk).first()
    if row is None:
        raise DistributionError(f"{installation} is not installed here any more.")
    if row.has_ended:
        raise DistributionError(f"The license of {row} has ended, so it is not updated.")
    release = newer_releases([row]).get(row.pk)
    if release is None:
        raise DistributionError(f"{row} is at {row.release}, and nothing newer is offered.")
    if str(release.pk) != seen:
        raise DistributionError(
            f"{release} is offered since this page was shown. Look at what it changes, and decide "
            "again."
        )
    return row, release


def _rewrite(row: Installation, by: User) -> tuple[list[Told], list[uuid.UUID]]:
    """Write the connections of the new release over those of the old one."""
    installing.lock_connections(row)
    rows = InstalledConnection.objects.filter(
        connection__application=row.application_id, organization=row.organization_id
    )
    old = {each.standing.link_name: each for each in rows.select_for_update(of=("self",))}
    new = row.release.manifest.connections
    gone = [each for name, each in old.items() if name not in new]
    anew = [
        each
        for name, each in old.items()
        if name in new and not authorizations_carry_over(each.standing, new[name])
    ]
    reason = f"Revoked when {by} updated {row} to {row.release}."
    told, keys = installing.disconnect(row, gone, reason)
    told_anew, keys_anew = installing.disconnect(row, anew, reason, gone=False)
    installing.connect(row, [each for name, each in old.items() if name in new])
    return told + told_anew, keys + keys_anew
