"""Summarize installed applications for one person: what works, and what has to be authorized."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from connections.authorizations.connection_state import ConnectionState, installed_connection_states
from connections.models import Authorization, InstalledConnection
from console.accounts.models import Membership, Organization, User
from console.choices import Environment, Level
from console.distribution.requirements import Requirement, requirement_of
from console.distribution.updating import newer_releases
from console.publishing.models import Installation, Release


@dataclass(frozen=True, kw_only=True)
class ConnectionOverview:
    """A connection of an installed application.

    ``authorized_count`` is the number of people who have authorized it for themselves.
    """

    row: InstalledConnection
    requirement: Requirement
    state: ConnectionState
    authorized_count: int = 0

    @property
    def is_personal(self) -> bool:
        return self.requirement.is_personal


@dataclass(frozen=True, kw_only=True)
class InstallationOverview:
    """An installed application for one person.

    ``parts`` are the connections that the person may see. ``waiting_count`` also counts those that
    they may not see: all connections that an administrator still has to authorize.
    """

    installation: Installation
    parts: tuple[ConnectionOverview, ...]
    waiting_count: int
    newer: Release | None

    @property
    def personal(self) -> list[ConnectionOverview]:
        """List the connections that each person authorizes for themselves."""
        return [part for part in self.parts if part.is_personal]

    @property
    def to_authorize(self) -> list[ConnectionOverview]:
        """List the connections that the person can authorize and that do not work yet."""
        return [part for part in self.parts if part.state.needs_authorization]

    @property
    def is_skipped(self) -> bool:
        """Tell whether the client has chosen not to install the newer release."""
        return self.newer is not None and self.newer.pk == self.installation.skipped_release_id

    @property
    def status(self) -> tuple[str, str, str]:
        """Return the tone, icon and text of the state."""
        if self.installation.has_ended:
            return "grey", "circle-minus", "License ended"
        if self.to_authorize:
            return "red", "plug", f"{len(self.to_authorize)} for you to authorize"
        if self.waiting_count:
            return "amber", "clock", "Waiting for an administrator"
        if any(part.state.disablement for part in self.parts):
            return "grey", "player-pause", "Disabled by its developers"
        return "green", "circle-check", "Works"


def installation_overviews(
    organization: Organization, user: User, rows: Iterable[Installation]
) -> list[InstallationOverview]:
    """Summarize installations of an organization, with a constant number of queries."""
    installations = list(rows)
    connections = InstalledConnection.objects.filter(
        organization=organization,
        connection__application__in=[each.application_id for each in installations],
    ).select_related("connection", "organization")
    found = sorted(connections, key=lambda row: row.document["name"].lower())
    visible = set(
        InstalledConnection.objects.visible_to(user)
        .filter(pk__in=[row.pk for row in found])
        .values_list("pk", flat=True)
    )
    states = installed_connection_states(found, organization.pk, user)
    authorized = _authorized_counts(organization, found)
    newer = newer_releases(installations)
    return [
        InstallationOverview(
            installation=each,
            parts=tuple(
                ConnectionOverview(
                    row=row,
                    requirement=requirement_of(row.snapshot),
                    state=states[row.pk],
                    authorized_count=authorized.get(row.connection_id, 0),
                )
                for row in found
                if row.pk in visible and row.connection.application_id == each.application_id
            ),
            waiting_count=sum(
                states[row.pk].needs_authorization
                for row in found
                if row.connection.application_id == each.application_id
                and row.document["level"] == Level.ADMINISTRATOR
            ),
            newer=newer.get(each.pk),
        )
        for each in installations
    ]


def active_member_count(organization: Organization) -> int:
    """Count the active people of an organization."""
    return (
        Membership.objects.active().filter(organization=organization, user__is_active=True).count()
    )


def _authorized_counts(
    organization: Organization, rows: Iterable[InstalledConnection]
) -> Mapping[uuid.UUID, int]:
    """Count the people who have authorized each connection for themselves."""
    personal = [r.connection_id for r in rows if r.document["level"] == Level.LOGGED_IN_USER]
    counted: Any = (
        Authorization.objects.filter(
            connection__in=personal,
            organization=organization,
            environment=Environment.PRODUCTION,
            state=Authorization.State.ACTIVE,
            user__isnull=False,
            credential__isnull=False,
        )
        .values_list("connection")
        .annotate(Count("user"))
    )
    return dict(counted)
