"""Install what was shared or is in the marketplace, and take it away again.

Each verb asks in its own transaction whether ``by`` may (``NotAllowed``) and raises
:class:`~console.distribution.errors.Refused` with a sentence where it cannot be done. The
application's row is held: two who install at once come one after the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from connections.authorizations.revocation_request import erase_each
from connections.authorizations.suspending import Told, end
from connections.models import Authorization, Connection, Flow, InstalledConnection
from console.accounts import authority
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action, held_by
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
    """What an organization may install: shared with it, or listed for everybody."""

    application: Application
    release: Release
    organization: Organization
    share: Share | None = None
    listing: Listing | None = None

    @property
    def license(self) -> str:
        return license_description(self.share) if self.share else "Subscription without an end"


@dataclass(frozen=True, kw_only=True)
class InstallResult:
    """What is installed now; ``is_new`` tells whether this call did it."""

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
    """Say why it cannot be installed, or return nothing."""
    application, organization = offer.application, offer.organization
    if application.organization_id == organization.pk:
        return (
            f"{organization} builds {application} itself, so it is not installed here: it is used "
            "in Development and Stage, and clients install it."
        )
    if offer.share and offer.share.withdrawn_at:
        return f"{application.organization} has withdrawn {application}. Ask there why."
    if offer.share and offer.share.has_ended:
        return f"The license of {application} has ended. {application.organization} can prolong it."
    if offer.listing and offer.listing.state != Listing.State.PUBLISHED:
        return f"{application} is not in the marketplace any more."
    return ""


@transaction.atomic
def install(offer: InstallOffer, by: User, *, seen: str) -> InstallResult:
    """Install a release for an organization, once; nothing is authorized by that.

    ``seen`` is the key of the release that the person decided on.
    """
    lock_application(offer.application)
    authority.hold(by, offer.organization, Action.MANAGE_INSTALLATIONS)
    organization = offer.organization
    installed = Installation.objects.filter(
        application=offer.application, organization=organization
    ).first()
    if installed:
        return InstallResult(installation=installed, is_new=False)
    offer = _as_it_is_now(offer)
    if problem := install_problem(offer):
        raise DistributionError(problem)
    if str(offer.release.pk) != seen:
        raise DistributionError(
            f"Another release of {offer.application} is offered since this page was shown. Look "
            "at what it asks for, and install again."
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
    connect(installation, _rows(installation))
    record(AuditAction.INSTALLATION_CREATED, installation, by, license=offer.license)
    _tell_people(installation)
    return InstallResult(installation=installation, is_new=True)


def uninstall(installation: Installation, by: User) -> list[str]:
    """Take an application away, its keys, and what was authorized for it, whatever services say.

    Return a sentence for each account that was given back.
    """
    with transaction.atomic():
        lock_application(installation.application)
        authority.hold(by, installation.organization, Action.MANAGE_INSTALLATIONS)
        row = Installation.objects.filter(pk=installation.pk).first()
        if row is None:
            raise DistributionError(f"{installation} is not installed here any more.")
        told, keys = disconnect(row, _rows(row), f"Revoked when {by} uninstalled {row}.")
        revoked = revoke_installed(row.application, row.organization, by)
        told += [(row.organization_id, happening) for happening in revoked]
        subject = Subject.of(row)
        record(AuditAction.INSTALLATION_REMOVED, row, by, told, subject=subject)
        row.delete()
    return erase_each(keys, by)


def lock_connections(installation: Installation) -> None:
    """Let nobody authorize or call anew meanwhile; in the order in which authorizing locks."""
    rows = Connection.objects.filter(application=installation.application_id)
    list(rows.order_by("pk").select_for_update(of=("self",)).values_list("pk"))


def connect(installation: Installation, before: Iterable[InstalledConnection]) -> None:
    """Write the connections of the release for the organization; those ``before`` keep keys."""
    rows = Connection.objects.created().filter(application=installation.application_id)
    keys = dict(rows.values_list("link_name", "pk"))
    known = {row.connection_id: row for row in before}
    for link_name, standing in installation.release.manifest.connections.items():
        values: dict[str, Any] = {
            "number": installation.release.number,
            "document": standing.as_document(),
            "ends_at": installation.ends_at,
        }
        row = known.get(keys[link_name]) or InstalledConnection(
            connection_id=keys[link_name], organization=installation.organization
        )
        for name, value in values.items():
            setattr(row, name, value)
        row.save()


def disconnect(
    installation: Installation,
    rows: Iterable[InstalledConnection],
    reason: str,
    *,
    gone: bool = True,
) -> tuple[list[Told], list[uuid.UUID]]:
    """End what was authorized for these; return what happened, and the credentials to give back.

    ``gone`` tells that the connections go, too, and do not only begin anew.
    """
    rows = list(rows)
    lock_connections(installation)
    connections = [row.connection_id for row in rows]
    flows = Flow.objects.filter(connection__in=connections, organization=installation.organization)
    flows.stop(reason)
    given = Authorization.objects.filter(
        connection__in=connections,
        organization=installation.organization,
        environment=Environment.PRODUCTION,
    )
    told, keys = end(given.filter(credential__isnull=False), reason)
    given.delete()
    if gone:
        InstalledConnection.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return told, keys


def record(
    act: AuditAction,
    installation: Installation,
    by: User,
    told: Iterable[Told] = (),
    *,
    subject: Subject | None = None,
    **details: Any,
) -> None:
    """Tell the client's chain, with all that came of it, and the developers' one."""
    happening = AuditEntry(
        action=act,
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
            installation.organization_id: [happening, *(each for _, each in told)],
            installation.application.organization_id: [happening],
        },
        by,
    )


def _rows(installation: Installation) -> list[InstalledConnection]:
    rows = InstalledConnection.objects.filter(
        connection__application=installation.application_id,
        organization=installation.organization_id,
    )
    return list(rows)


def _as_it_is_now(offer: InstallOffer) -> InstallOffer:
    """Read what is offered once more, now that nobody can change it."""
    if offer.share:
        share = Share.objects.select_for_update(of=("self",)).select_related("release")
        row = share.get(pk=offer.share.pk)
        return replace(offer, share=row, release=row.release)
    listings = Listing.objects.published().filter(application=offer.application)
    listing = listings.select_related("release").first()
    if listing is None:
        raise DistributionError(f"{offer.application} is not in the marketplace any more.")
    return replace(offer, listing=listing, release=listing.release)


def _tell_people(installation: Installation) -> None:
    """Tell each person how many connections wait for him; some have nothing to do."""
    standings = installation.release.manifest.connections.values()
    own = sum(standing.level == Level.LOGGED_IN_USER for standing in standings)
    shared = len(standings) - own
    members = Membership.objects.active().filter(
        organization=installation.organization, user__is_active=True
    )
    url = public_url("installation_detail", installation.pk)
    for member in members.select_related("user").order_by("user__email"):
        authorizes_for_all = member.role in held_by(Action.AUTHORIZE_INSTALLED)
        count = own + (shared if authorizes_for_all else 0)
        if count or member.role in (Role.SUPER_ADMIN, Role.ADMIN):
            context = {"installation": installation, "count": count, "own": own, "authorizes_for_all": authorizes_for_all}
            mail("installed", [member.user], url=url, **context)
