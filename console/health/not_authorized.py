"""Connections that a person can authorize and that do not have an authorization that works."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from connections.models import Authorization, Connection, InstalledConnection
from connections.models.state_conditions import working
from connections.setup.connection_filters import in_display_state
from console.choices import Environment, Level


def connections_to_authorize(user: Any) -> QuerySet[Connection]:
    """Return the connections that are not authorized in Development or Stage."""
    created = Connection.objects.visible_to(user).created()
    return created.filter(in_display_state("needs_authorization", user))


def installed_to_authorize(user: Any) -> QuerySet[InstalledConnection]:
    """Return the installed connections that this person has not authorized for Production."""

    def authorized(**by: Any) -> Exists:
        return Exists(
            Authorization.objects.filter(
                working(),
                connection=OuterRef("connection"),
                organization=OuterRef("organization"),
                environment=Environment.PRODUCTION,
                **by,
            )
        )

    shared = Q(document__level=Level.ADMINISTRATOR) & ~authorized(user=None)
    own = Q(document__level=Level.LOGGED_IN_USER) & ~authorized(user=user)
    enabled = Q(connection__disabled_at=None)
    return InstalledConnection.objects.visible_to(user).live().filter(enabled, shared | own)
