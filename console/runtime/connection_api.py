"""How the application's connections stand where a key is valid; never a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from ninja import Schema
from pydantic import Field

from connections.authorizations.connection_state import ConnectionState
from console.runtime.caller import Program, authorize_url, needs_person
from console.runtime.problem_details import Problem


class Scopes(Schema):
    """Permissions by their names at the service, where it has any."""

    asked: list[str]
    granted: list[str]
    missing: list[str]


class ConnectionOut(Schema):
    """A connection as it stands in the key's environment."""

    link_name: str
    name: str
    service: str
    connector: str
    level: str = Field(description="`administrator` or `logged_in_user`")
    environment: str
    state: str = Field(
        description="`active`, `expiring`, `permissions_missing`, `needs_authorization`, "
        "`revoked`, `unknown_outcome`; `user_token_required` where a person has to be named"
    )
    works: bool
    problem: str | None = Field(
        description="Why it does not work, or why its access token is not renewed; null if all is "
        "well"
    )
    account: str | None = Field(description="Whose account it is at the service")
    ends_at: datetime | None = Field(description="When it has to be authorized anew, if known")
    scopes: Scopes
    authorize_url: str | None = Field(description="Where a person mends it, if it does not work")
    proxy_url: str = Field(description="Calls go to this address with the service's path after it")


class ConnectionsOut(Schema):
    """Every connection of the application, in the order of link names."""

    connections: list[ConnectionOut]


def listed(program: Program) -> dict[str, Any]:
    """Describe every connection."""
    states = program.states
    return {"connections": [_described(states[name], program) for name in sorted(states)]}


def one(program: Program, link_name: str) -> dict[str, Any]:
    """Describe one connection; raise :class:`Problem` where there is none of that name."""
    state = program.states.get(link_name)
    if state is None:
        raise Problem(
            "connection-not-found",
            f"{program.application} has no connection {link_name} in {program.environment.label}.",
        )
    return _described(state, program)


def _described(state: ConnectionState, program: Program) -> dict[str, Any]:
    snapshot = state.snapshot
    credential = state.authorization.credential if state.authorization else None
    unnamed = needs_person(state, program.user)
    return {
        "link_name": snapshot.link_name,
        "name": snapshot.name,
        "service": snapshot.definition.name,
        "connector": snapshot.connector,
        "level": snapshot.level,
        "environment": state.environment.value,
        "state": "user_token_required" if unnamed else state.name,
        "works": state.works,
        "problem": None if unnamed else state.problem or None,
        "account": credential.label if credential else None,
        "ends_at": credential.reauthorize_by if credential else None,
        "scopes": {
            "asked": list(snapshot.scopes_asked),
            "granted": list(credential.scopes_granted) if credential else [],
            "missing": list(state.missing),
        },
        "authorize_url": None if state.works or unnamed else authorize_url(state),
        "proxy_url": f"{settings.PUBLIC_URL}/api/v1/connections/{snapshot.link_name}/proxy",
    }
