"""Find what a program means by a link name: which connection, as it stands where, for whom."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from connections.authorizations.connection_state import (
    ConnectionState,
    connection_states,
    installed_connection_states,
)
from connections.models import Connection, InstalledConnection
from connections.models.snapshot import ConnectionSnapshot
from console.choices import Environment


class NoSuchConnection(LookupError):
    """No connection of this link name is in the environment; the message says so."""


class LicenseEnded(Exception):
    """The client may not use the application any more; the message says so."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who calls: an application in one environment of one organization, maybe for a person."""

    application: uuid.UUID
    organization: uuid.UUID
    environment: Environment
    user: uuid.UUID | None = None


def resolve(caller: Caller, link_name: str) -> ConnectionState:
    """Return how a connection stands for a caller.

    Raise :class:`NoSuchConnection`, or :class:`LicenseEnded` where it was installed. Three
    queries at most. The authorization is nobody else's than the caller's own.
    """
    at_client = caller.environment == Environment.PRODUCTION
    state = _installed(caller, link_name) if at_client else _at_home(caller, link_name)
    if state is None:
        raise NoSuchConnection(f"There is no connection {link_name} in {caller.environment.label}.")
    return state


def _at_home(caller: Caller, link_name: str) -> ConnectionState | None:
    connection = (
        Connection.objects.created()
        .filter(
            application=caller.application,
            application__organization=caller.organization,
            link_name=link_name,
        )
        .prefetch_related("released")
        .first()
    )
    snapshot = _standing(connection, caller.environment) if connection else None
    if connection is None or snapshot is None:
        return None
    here = {caller.environment: {connection.pk: snapshot}}
    return connection_states(here, caller.organization, caller.user)[caller.environment][
        connection.pk
    ]


def _installed(caller: Caller, link_name: str) -> ConnectionState | None:
    row = InstalledConnection.objects.filter(
        connection__application=caller.application,
        connection__link_name=link_name,
        connection__status=Connection.Status.CREATED,
        organization=caller.organization,
    ).first()
    if row and row.has_ended:
        raise LicenseEnded(
            "The license of the application has ended, so nothing is called. Who shared it can "
            "prolong it; then everything works as before."
        )
    return (
        installed_connection_states([row], caller.organization, caller.user)[row.pk]
        if row
        else None
    )


def _standing(connection: Connection, environment: Environment) -> ConnectionSnapshot | None:
    """Return the connection as its environment reads it, or nothing where it is not there."""
    if environment == Environment.DEVELOPMENT:
        return connection.snapshot
    released = (r.snapshot for r in connection.released.all() if r.environment == environment)
    return next(released, None)
