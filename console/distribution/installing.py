"""Install an application that was shared or is in the marketplace, and uninstall it.

Each function checks in its own transaction that ``by`` may do this (``NotAllowed``), and raises
:class:`~console.distribution.errors.DistributionError` if it is not possible. It locks the
application's row, so that two requests at the same time run one after the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from connections.authorizations.credential_erasure import revoke_and_erase_each
from connections.authorizations.suspending import OrganizationEntry, revoke_all
from connections.models import Authorization, Connection, Flow, InstalledConnection
from console.accounts import authority
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action, roles_for
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_in_each
from console.choices import Environment, Level, Role
from console.distribution.errors import DistributionError
from console.distribution.models import Listing, Share
from console.distribution.notifications import mail
from console.distribution.sharing import license_description
from console.keys.issuing import revoke_installed
from console.public_url import public_url
from console.publishing.models import Installation, Release


@dataclass(frozen=True, kw_only=True)
class InstallOffer:
    """A release that an organization may install: shared with it, or in the marketplace."""

    application: Application
    release: Release
    organization: Organization
    share: Share | None = None
    listing: Listing | None = None

    @property
    def license(self) -> str:
        return license_description(self.share) if self.share else "Subscription without an end date"


@dataclass(frozen=True, kw_only=True)
class InstallResult:
    """The installation; ``is_new`` tells whether this call created it."""

    installation: Installation
    is_new: bool


def offer_from_share(share: Share) -> InstallOffer:
    return InstallOffer(
        application=share.application,
        release=share.release,
        organization=share.client,
        share=share,
    )


def offer_from_listing(listing: Listing, organization: Organization) -> InstallOffer:
    return InstallOffer(
        application=listing.application,
        release=listing.release,
        organization=organization,
        listing=listing,
    )


def install_problem(offer: InstallOffer) -> str:
    """Return why the offer cannot be installed, or an empty text."""
    application, organization = offer.application, offer.organization
    if application.organization_id == organization.pk:
        return (
            f"{organization} builds {application}, so it cannot install it: use it in Development "
            "and Stage. Other organizations can install it."
        )
    if offer.share and offer.share.withdrawn_at:
        return (
            f"{application.organization} has withdrawn {application}. Contact them to find out why."
        )
    if offer.share and offer.share.has_ended:
        return f"The license of {application} has ended. {application.organization} can extend it."
    if offer.listing and offer.listing.state != Listing.State.PUBLISHED:
        return f"{application} is no longer in the marketplace."
    return ""


@transaction.atomic
def install(offer: InstallOffer, by: User, *, seen: str) -> InstallResult:
    """Install a release in an organization; its connections still have to be authorized.

    ``seen`` is the primary key of the release that the person saw on the page.
    """
    lock_application(offer.application)
    authority.check_and_lock(by, offer.organization, Action.MANAGE_INSTALLATIONS)
    organization = offer.organization
    installed = Installation.objects.filter(
        application=offer.application, organization=organization
    ).first()
    if installed:
        return InstallResult(installation=installed, is_new=False)
    offer = _reload(offer)
    if problem := install_problem(offer):
        raise DistributionError(problem)
    if str(offer.release.pk) != seen:
        raise DistributionError(
            f"A different release of {offer.application} has been offered since this page was "
            "shown. Check the permissions it asks for, and install again."
        )
    if offer.share:
        offer.share.begin()
    installation = Installation.objects.create(
        application=offer.application,
        organization=organization,
        release=offer.release,
        installed_by=by,
        ends_at=offer.share.end if offer.share else None,
    )
    if offer.share:
        offer.share.installation = installation
        offer.share.save()
    write_connections(installation, _rows(installation))
    record(AuditAction.INSTALLATION_CREATED, installation, by, license=offer.license)
    _notify_members(installation)
    return InstallResult(installation=installation, is_new=True)


def uninstall(installation: Installation, by: User) -> list[str]:
    """Uninstall an application: revoke its keys and authorizations, even if a service fails.

    Return a sentence for each account whose authorization was revoked.
    """
    with transaction.atomic():
        lock_application(installation.application)
        authority.check_and_lock(by, installation.organization, Action.MANAGE_INSTALLATIONS)
        row = Installation.objects.filter(pk=installation.pk).first()
        if row is None:
            raise DistributionError(f"{installation} is no longer installed here.")
        told, keys = end_authorizations(row, _rows(row), f"Revoked when {by} uninstalled {row}.")
        revoked = revoke_installed(row.application, row.organization, by)
        told += [(row.organization_id, entry) for entry in revoked]
        subject = Subject.of(row)
        record(AuditAction.INSTALLATION_REMOVED, row, by, told, subject=subject)
        row.delete()
    return revoke_and_erase_each(keys, by)


def lock_connections(installation: Installation) -> None:
    """Lock the connections, in the same order as authorizing does, against new grants."""
    rows = Connection.objects.filter(application=installation.application_id)
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))


def write_connections(installation: Installation, before: Iterable[InstalledConnection]) -> None:
    """Write the rows of the release's connections; rows in ``before`` keep their primary keys."""
    rows = Connection.objects.created().filter(application=installation.application_id)
    keys = dict(rows.values_list("link_name", "pk"))
    known = {row.connection_id: row for row in before}
    for link_name, snapshot in installation.release.manifest.connections.items():
        values: dict[str, Any] = {
            "number": installation.release.number,
            "document": snapshot.as_document(),
            "ends_at": installation.ends_at,
        }
        row = known.get(keys[link_name]) or InstalledConnection(
            connection_id=keys[link_name], organization=installation.organization
        )
        for name, value in values.items():
            setattr(row, name, value)
        row.save()


def end_authorizations(
    installation: Installation,
    rows: Iterable[InstalledConnection],
    reason: str,
    *,
    delete_rows: bool = True,
) -> tuple[list[OrganizationEntry], list[uuid.UUID]]:
    """End the authorizations of these connections; return audit entries and credentials to revoke.

    With ``delete_rows``, the installed connections themselves are deleted, too.
    """
    rows = list(rows)
    lock_connections(installation)
    connections = [row.connection_id for row in rows]
    flows = Flow.objects.filter(connection__in=connections, organization=installation.organization)
    flows.stop(reason)
    authorizations = Authorization.objects.filter(
        connection__in=connections,
        organization=installation.organization,
        environment=Environment.PRODUCTION,
    )
    told, keys = revoke_all(authorizations.filter(credential__isnull=False), reason)
    authorizations.delete()
    if delete_rows:
        InstalledConnection.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return told, keys


def record(
    action: AuditAction,
    installation: Installation,
    by: User,
    told: Iterable[OrganizationEntry] = (),
    *,
    subject: Subject | None = None,
    **details: Any,
) -> None:
    """Record an event for the client, with its consequences, and one for the developers."""
    entry = AuditEntry(
        action=action,
        subject=subject or Subject.of(installation),
        details={
            "application": installation.application.name,
            "client": installation.organization.name,
            "release": installation.release.number,
            **details,
        },
    )
    record_in_each(
        {
            installation.organization_id: [entry, *(each for _, each in told)],
            installation.application.organization_id: [entry],
        },
        by,
    )


def _rows(installation: Installation) -> list[InstalledConnection]:
    rows = InstalledConnection.objects.filter(
        connection__application=installation.application_id,
        organization=installation.organization_id,
    )
    return list(rows)


def _reload(offer: InstallOffer) -> InstallOffer:
    """Read the offer again, now that the application is locked."""
    if offer.share:
        share = Share.objects.select_for_update(of=("self",)).select_related("release")
        row = share.get(pk=offer.share.pk)
        return replace(offer, share=row, release=row.release)
    listings = Listing.objects.published().filter(application=offer.application)
    listing = listings.select_related("release").first()
    if listing is None:
        raise DistributionError(f"{offer.application} is no longer in the marketplace.")
    return replace(offer, listing=listing, release=listing.release)


def _notify_members(installation: Installation) -> None:
    """Send each person a mail with the number of connections that they have to authorize."""
    snapshots = installation.release.manifest.connections.values()
    own = sum(snapshot.level == Level.LOGGED_IN_USER for snapshot in snapshots)
    shared = len(snapshots) - own
    members = Membership.objects.active().filter(
        organization=installation.organization, user__is_active=True
    )
    url = public_url("installation_detail", installation.pk)
    for member in members.select_related("user").order_by("user__email"):
        authorizes_for_all = member.role in roles_for(Action.AUTHORIZE_INSTALLED)
        count = own + (shared if authorizes_for_all else 0)
        if count or member.role in (Role.SUPER_ADMIN, Role.ADMIN):
            context = {
                "installation": installation,
                "count": count,
                "own": own,
                "authorizes_for_all": authorizes_for_all,
            }
            mail("installed", [member.user], url=url, **context)
