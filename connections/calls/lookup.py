"""Find the connection that a program names by its link name, as the environment knows it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from connections.authorizations.connection_state import (
    ConnectionState,
    connection_states,
    installed_connection_states,
)
from connections.calls.errors import ConnectionNotFound, LicenseEnded
from connections.models import Connection, InstalledConnection
from connections.models.snapshot import ConnectionSnapshot
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class Caller:
    """An application in one environment of one organization, and the person it acts for."""

    application: uuid.UUID
    organization: uuid.UUID
    environment: Environment
    user: uuid.UUID | None = None


def find_connection(caller: Caller, link_name: str) -> ConnectionState:
    """Return a connection and its state for a caller, in at most three queries.

    Raise :class:`ConnectionNotFound`, or :class:`LicenseEnded` for an installed application.
    The authorization in the state is always the caller's own.
    """
    if caller.environment == Environment.PRODUCTION:
        state = _installed(caller, link_name)
    else:
        state = _own(caller, link_name)
    if state is None:
        raise ConnectionNotFound(
            f"There is no connection {link_name} in {caller.environment.label}."
        )
    return state


def _own(caller: Caller, link_name: str) -> ConnectionState | None:
    connection = (
        Connection.objects.created()
        .filter(
            application=caller.application,
            application__organization=caller.organization,
            link_name=link_name,
        )
        .select_related("disabled_by")
        .prefetch_related("released")
        .first()
    )
    snapshot = _snapshot(connection, caller.environment) if connection else None
    if connection is None or snapshot is None:
        return None
    snapshots = {caller.environment: {connection.pk: snapshot}}
    disablement = connection.disablement
    found = connection_states(
        snapshots,
        caller.organization,
        caller.user,
        disablements={connection.pk: disablement} if disablement else {},
    )
    return found[caller.environment][connection.pk]


def _installed(caller: Caller, link_name: str) -> ConnectionState | None:
    row = InstalledConnection.objects.filter(
        connection__application=caller.application,
        connection__link_name=link_name,
        connection__status=Connection.Status.CREATED,
        organization=caller.organization,
    ).first()
    if row and row.has_ended:
        raise LicenseEnded
    return (
        installed_connection_states([row], caller.organization, caller.user)[row.pk]
        if row
        else None
    )


def _snapshot(connection: Connection, environment: Environment) -> ConnectionSnapshot | None:
    """Return the connection as the environment knows it, or ``None`` if it is not there."""
    if environment == Environment.DEVELOPMENT:
        return connection.snapshot
    released = (r.snapshot for r in connection.released.all() if r.environment == environment)
    return next(released, None)
