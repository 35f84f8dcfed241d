"""Update an installation to a newer release, or skip that release; the client decides."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from connections.authorizations.credential_erasure import revoke_and_erase_each
from connections.authorizations.suspending import OrganizationEntry
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
    """Return the newer release that is offered to each installation, if there is one.

    Skipped releases are included. An installation is updated by its share, or else by the listing
    in the marketplace.
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
    """Replace the installed release with the one that is offered.

    Authorizations stay, except for connections that were removed or whose level, connector or
    authentication type changed. ``seen`` is the primary key of the release that the person saw.
    Return a sentence for each account whose authorization was revoked; raise
    :class:`~console.distribution.errors.DistributionError`.
    """
    with transaction.atomic():
        row, release = _lock(installation, by, seen)
        before = row.release.manifest.connections
        row.release, row.updated_at, row.skipped_release = release, timezone.now(), None
        row.save(update_fields=["release", "updated_at", "skipped_release"])
        told, keys = _replace_connections(row, by)
        installing.record(
            AuditAction.INSTALLATION_UPDATED, row, by, told, connections=sorted(before)
        )
    return revoke_and_erase_each(keys, by)


@transaction.atomic
def skip(installation: Installation, by: User, *, seen: str) -> None:
    """Keep the installed release, and remember that this newer one was skipped."""
    row, release = _lock(installation, by, seen)
    row.skipped_release = release
    row.save(update_fields=["skipped_release"])
    installing.record(AuditAction.INSTALLATION_UPDATE_LEFT, row, by, left=release.number)


def _lock(installation: Installation, by: User, seen: str) -> tuple[Installation, Release]:
    lock_application(installation.application)
    authority.check_and_lock(by, installation.organization, Action.MANAGE_INSTALLATIONS)
    rows = Installation.objects.select_for_update(of=("self",)).select_related(
        "application", "organization", "release"
    )
    row = rows.filter(pk=installation.pk).first()
    if row is None:
        raise DistributionError(f"{installation} is no longer installed here.")
    if row.has_ended:
        raise DistributionError(f"The license of {row} has ended, so it cannot be updated.")
    release = newer_releases([row]).get(row.pk)
    if release is None:
        raise DistributionError(f"{row} is at {row.release}, which is the newest one offered.")
    if str(release.pk) != seen:
        raise DistributionError(
            f"{release} has been offered since this page was shown. Check what it changes, and "
            "decide again."
        )
    return row, release


def _replace_connections(
    row: Installation, by: User
) -> tuple[list[OrganizationEntry], list[uuid.UUID]]:
    """Replace the connections of the old release with those of the new one."""
    installing.lock_connections(row)
    rows = InstalledConnection.objects.filter(
        connection__application=row.application_id, organization=row.organization_id
    )
    old = {each.snapshot.link_name: each for each in rows.select_for_update(of=("self",))}
    new = row.release.manifest.connections
    removed = [each for name, each in old.items() if name not in new]
    changed = [
        each
        for name, each in old.items()
        if name in new and not authorizations_carry_over(each.snapshot, new[name])
    ]
    reason = f"Revoked when {by} updated {row} to {row.release}."
    told, keys = installing.end_authorizations(row, removed, reason)
    told_changed, keys_changed = installing.end_authorizations(
        row, changed, reason, delete_rows=False
    )
    installing.write_connections(row, [each for name, each in old.items() if name in new])
    return told + told_changed, keys + keys_changed
