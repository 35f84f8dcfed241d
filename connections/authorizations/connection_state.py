"""Whether connections can act in an environment, and if not, what is missing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from connections.models import Authorization, Connection, InstalledConnection
from connections.models.disablement import Disablement
from connections.models.display_state import DisplayState
from connections.models.reason_code import ReasonCode
from connections.models.snapshot import ConnectionSnapshot
from connections.models.state_badge import URGENCY
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class ConnectionState:
    """The state of one connection in one environment, for one person.

    In Production, ``installed`` is the primary key of the client's installed connection.
    """

    connection: uuid.UUID
    environment: Environment
    snapshot: ConnectionSnapshot
    display: DisplayState
    authorization: Authorization | None = None
    installed: uuid.UUID | None = None
    disablement: Disablement | None = None

    @property
    def name(self) -> str:
        """Return the name of the state, as the template tag ``state`` knows it."""
        return self.display.name

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the scopes that the connection needs and the service has not granted."""
        return self.display.scopes_missing

    @property
    def works(self) -> bool:
        """Tell whether calls can be made with all the permissions that they need."""
        return self.display.works

    @property
    def needs_authorization(self) -> bool:
        """Tell whether it would work if somebody authorized it again."""
        return not self.works and self.disablement is None

    @property
    def problem(self) -> str:
        """Return why it does not work, or why its access token cannot be refreshed."""
        if self.disablement:
            return self.disablement.message(self.snapshot.name)
        if self.authorization is None:
            return ""
        if self.authorization.state != Authorization.State.ACTIVE:
            return self.authorization.reason
        credential = self.authorization.credential
        return credential.renewal_problem if credential else ""

    @property
    def reason_code(self) -> str:
        """Return why it does not work, for programs; empty if it works or is disabled."""
        if self.works or self.disablement:
            return ""
        if self.missing:
            return ReasonCode.PERMISSIONS_MISSING
        if self.authorization is None:
            return ReasonCode.NEVER_AUTHORIZED
        return self.authorization.why_stopped

    @property
    def slot(self) -> str:
        """Return the environment to authorize so that it works."""
        return self.snapshot.slot(self.environment)

    @property
    def authorize_url(self) -> str:
        """Return the path of the page where a person can authorize it."""
        return self.build_authorize_url(lambda route, key: reverse(route, args=[key]))

    def build_authorize_url(self, build_url: Callable[[str, uuid.UUID], str]) -> str:
        """Return the same URL, built by ``build_url`` from a route name and a primary key."""
        if self.installed:
            return build_url("installed_authorize", self.installed)
        return f"{build_url('connection_authorize', self.connection)}?environment={self.slot}"


def by_urgency(states: Iterable[ConnectionState]) -> list[ConnectionState]:
    """Sort states: the most urgent first, then by the name of the connection."""
    return sorted(states, key=lambda s: (URGENCY[s.name], s.snapshot.name.casefold()))


def connection_states(
    snapshots: Mapping[Environment, Mapping[uuid.UUID, ConnectionSnapshot]],
    organization: uuid.UUID,
    user: Any,
    *,
    disablements: Mapping[uuid.UUID, Disablement] | None = None,
) -> dict[Environment, dict[uuid.UUID, ConnectionState]]:
    """Return the states of connections in the developers' environments, with one query.

    ``disablements`` are those of the connections that are disabled; another query finds them if
    the caller has not read them.
    """
    connections = {pk for known in snapshots.values() for pk in known}
    if disablements is None:
        disablements = Connection.objects.filter(pk__in=connections).disablements()
    rows = _authorizations(connections, organization, user)
    return {
        environment: {
            pk: connection_state(
                pk, snapshot, environment, rows.get(pk, ()), disablement=disablements.get(pk)
            )
            for pk, snapshot in known.items()
        }
        for environment, known in snapshots.items()
    }


def installed_connection_states(
    rows: Iterable[InstalledConnection], organization: uuid.UUID, user: Any
) -> dict[uuid.UUID, ConnectionState]:
    """Return the states of a client's installed connections in Production, by their keys."""
    rows = list(rows)
    connections = {row.connection_id for row in rows}
    found = _authorizations(connections, organization, user)
    disablements = Connection.objects.filter(pk__in=connections).disablements()
    return {
        row.pk: connection_state(
            row.connection_id,
            row.snapshot,
            Environment.PRODUCTION,
            found.get(row.connection_id, ()),
            installed=row.pk,
            disablement=disablements.get(row.connection_id),
        )
        for row in rows
    }


def _authorizations(
    connections: Iterable[uuid.UUID], organization: uuid.UUID, user: Any
) -> dict[uuid.UUID, list[Authorization]]:
    rows: dict[uuid.UUID, list[Authorization]] = {}
    for row in Authorization.objects.usable_by(user, organization, connections):
        rows.setdefault(row.connection_id, []).append(row)
    return rows


def connection_state(
    connection: uuid.UUID,
    snapshot: ConnectionSnapshot,
    environment: Environment,
    authorizations: Iterable[Authorization],
    *,
    installed: uuid.UUID | None = None,
    disablement: Disablement | None = None,
) -> ConnectionState:
    """Return the state of one connection, by the authorization that serves its calls, if any."""
    authorization = next((row for row in authorizations if row.serves(snapshot, environment)), None)
    return ConnectionState(
        connection=connection,
        environment=environment,
        snapshot=snapshot,
        display=DisplayState.of(
            authorization.state if authorization else None,
            authorization.credential if authorization else None,
            needed=snapshot.scopes_asked,
            oauth2=snapshot.definition.oauth2,
            disabled=disablement is not None,
        ),
        authorization=authorization,
        installed=installed,
        disablement=disablement,
    )
