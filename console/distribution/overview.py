"""How installed applications do, as one person may see it: what works and what waits for whom."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from connections.authorizations.state import ConnectionState, installed_states
from connections.models import Authorization, InstalledConnection
from console.accounts.models import Membership, Organization, User
from console.accounts.policy import Action
from console.choices import Environment, Level
from console.distribution.requirements import Requirement, requirement_of
from console.distribution.updating import newer_releases
from console.publishing.models import Installation, Release


@dataclass(frozen=True, kw_only=True)
class ConnectionOverview:
    """One connection of an installed application; ``given`` counts people, where each has to."""

    row: InstalledConnection
    ask: Requirement
    state: ConnectionState
    given: int = 0

    @property
    def is_personal(self) -> bool:
        return self.ask.is_personal


@dataclass(frozen=True, kw_only=True)
class InstallationOverview:
    """An installed application for one person.

    ``parts`` are the connections that he sees; ``waits`` counts those, seen or not, that an
    administrator has to authorize yet.
    """

    installation: Installation
    parts: tuple[ConnectionOverview, ...]
    waits: int
    newer: Release | None

    @property
    def own(self) -> list[ConnectionOverview]:
        """List what he has to authorize for himself."""
        return [part for part in self.parts if part.is_personal]

    @property
    def todo(self) -> list[ConnectionOverview]:
        """List what he can authorize and what does not work yet."""
        return [part for part in self.parts if not part.state.works]

    @property
    def left(self) -> bool:
        return self.newer is not None and self.newer.pk == self.installation.left_id

    @property
    def status(self) -> tuple[str, str, str]:
        """Return tone, icon and words."""
        if self.installation.has_ended:
            return "grey", "circle-minus", "License ended"
        if self.todo:
            return "red", "plug", f"{len(self.todo)} to authorize by you"
        if self.waits:
            return "amber", "clock", "Waits for an administrator"
        return "green", "circle-check", "Works"


def look(
    organization: Organization, user: User, rows: Iterable[Installation]
) -> list[InstallationOverview]:
    """Tell how these installations of an organization do; as many queries for many as for one."""
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
    states = installed_states(found, organization.pk, user)
    given = _given(organization, found)
    newer = newer_releases(installations)
    return [
        InstallationOverview(
            installation=each,
            parts=tuple(
                ConnectionOverview(
                    row=row,
                    ask=requirement_of(row.standing),
                    state=states[row.pk],
                    given=given.get(row.connection_id, 0),
                )
                for row in found
                if row.pk in visible and row.connection.application_id == each.application_id
            ),
            waits=sum(
                not states[row.pk].works
                for row in found
                if row.connection.application_id == each.application_id
                and row.document["level"] == Level.ADMINISTRATOR
            ),
            newer=newer.get(each.pk),
        )
        for each in installations
    ]


def active_member_count(organization: Organization) -> int:
    """Count the people who may each have to authorize something for himself."""
    return (
        Membership.objects.active().filter(organization=organization, user__is_active=True).count()
    )


def may_manage(user: User, organization: Organization) -> bool:
    """Tell whether he installs, updates and uninstalls there."""
    own = Organization.objects.allowing(user, Action.MANAGE_INSTALLATIONS)
    return own.filter(pk=organization.pk).exists()


def _given(
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
