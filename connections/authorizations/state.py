"""Whether connections can act in an environment, and if not, what is missing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from connections.models import Authorization, InstalledConnection
from connections.models.snapshot import ConnectionSnapshot
from console.choices import Environment


@dataclass(frozen=True, kw_only=True)
class ConnectionState:
    """One connection in one environment, for one person.

    ``name`` is one of those that the tag ``state`` knows; ``missing`` names scopes.
    In Production ``installed`` is the key of the connection as the client has it.
    """

    connection: uuid.UUID
    environment: Environment
    standing: ConnectionSnapshot
    name: str
    authorization: Authorization | None = None
    missing: tuple[str, ...] = ()
    installed: uuid.UUID | None = None

    @property
    def works(self) -> bool:
        """Tell whether a call through the connection can be made as it should."""
        return self.name in {"active", "expiring"}

    @property
    def problem(self) -> str:
        """Say why it does not work, or why its access token is not renewed; empty if it is."""
        if self.authorization is None:
            return ""
        if self.authorization.state != Authorization.State.ACTIVE:
            return self.authorization.reason
        return self.authorization.credential.renewal_problem

    @property
    def shown(self) -> dict[str, Any]:
        """Return the arguments of the tag ``state``."""
        if self.name == "permissions_missing":
            asked = len(self.standing.scopes_asked)
            return {"name": self.name, "granted": asked - len(self.missing), "asked": asked}
        credential = self.authorization.credential if self.authorization else None
        if credential is None:
            return {"name": self.name}
        return {"name": self.name, "account": credential.label, "expires_at": credential.last_day}

    @property
    def slot(self) -> str:
        """Name the environment to authorize, which mends it."""
        return self.standing.slot(self.environment)

    @property
    def authorize_url(self) -> str:
        """Return where a person can authorize it."""
        return self.authorize_at(lambda route, key: reverse(route, args=[key]))

    def authorize_at(self, address: Callable[[str, uuid.UUID], str]) -> str:
        """Return the same as ``address`` writes it, given a route and what stands in it."""
        if self.installed:
            return address("installed_authorize", self.installed)
        return f"{address('connection_authorize', self.connection)}?environment={self.slot}"


def states(
    standings: Mapping[Environment, Mapping[uuid.UUID, ConnectionSnapshot]],
    organization: uuid.UUID,
    user: Any,
) -> dict[Environment, dict[uuid.UUID, ConnectionState]]:
    """Tell for connections, as they stand in each environment at home, whether they act there.

    One query, however many there are.
    """
    connections = {pk for known in standings.values() for pk in known}
    rows = _authorizations(connections, organization, user)
    return {
        environment: {
            pk: state_of(
                pk,
                standing,
                environment,
                next((r for r in rows.get(pk, ()) if r.acts(standing, environment)), None),
            )
            for pk, standing in known.items()
        }
        for environment, known in standings.items()
    }


def installed_states(
    rows: Iterable[InstalledConnection], organization: uuid.UUID, user: Any
) -> dict[uuid.UUID, ConnectionState]:
    """Tell by their own keys how a client organization's connections do in Production."""
    rows = list(rows)
    production = Environment.PRODUCTION
    found = _authorizations({row.connection_id for row in rows}, organization, user)
    return {
        row.pk: state_of(
            row.connection_id,
            row.standing,
            production,
            next(
                (a for a in found.get(row.connection_id, ()) if a.acts(row.standing, production)),
                None,
            ),
            installed=row.pk,
        )
        for row in rows
    }


def _authorizations(
    connections: Iterable[uuid.UUID], organization: uuid.UUID, user: Any
) -> dict[uuid.UUID, list[Authorization]]:
    rows: dict[uuid.UUID, list[Authorization]] = {}
    for row in Authorization.objects.seen(connections, organization, user):
        rows.setdefault(row.connection_id, []).append(row)
    return rows


def state_of(
    connection: uuid.UUID,
    standing: ConnectionSnapshot,
    environment: Environment,
    authorization: Authorization | None,
    *,
    installed: uuid.UUID | None = None,
) -> ConnectionState:
    """Judge one connection by the authorization that acts for it, or by having none."""
    missing: tuple[str, ...] = ()
    credential = authorization.credential if authorization else None
    if authorization and authorization.state != Authorization.State.ACTIVE:
        name = authorization.state
    elif credential is None or credential.has_ended:
        name = "needs_authorization"
    else:
        oauth2 = standing.definition.oauth2
        granted = credential.scopes_granted
        missing = oauth2.missing(standing.scopes_asked, granted) if oauth2 else ()
        expiring = "expiring" if credential.is_expiring else "active"
        name = "permissions_missing" if missing else expiring
    return ConnectionState(
        connection=connection,
        environment=environment,
        standing=standing,
        name=name,
        authorization=authorization,
        missing=missing,
        installed=installed,
    )
