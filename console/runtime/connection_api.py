"""Describe the application's connections in the key's environment; never a secret."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from ninja import Schema
from pydantic import Field

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import ConnectionNotFound
from connections.calls.readiness import lacks_user
from console.public_url import public_url
from console.runtime.caller import Program


class Scopes(Schema):
    """OAuth scopes by their names at the service."""

    asked: list[str]
    granted: list[str]
    missing: list[str]


class ConnectionOut(Schema):
    """A connection in the key's environment."""

    link_name: str
    name: str
    service: str
    connector: str
    level: str = Field(description="`administrator` or `logged_in_user`")
    environment: str
    state: str = Field(
        description="`active`, `expiring`, `permissions_missing`, `needs_authorization`, "
        "`revoked`, `unknown_outcome`, `suspended`, `disabled`; `user_token_required` if the "
        "request must name a person"
    )
    works: bool
    problem: str | None = Field(
        description="Why it does not work, or why its access token is not renewed; otherwise null"
    )
    reason_code: str | None = Field(
        description="The same for programs, such as `refresh_token_refused`; null if it works"
    )
    account: str | None = Field(description="The account at the service")
    ends_at: datetime | None = Field(description="When it has to be authorized again, if known")
    scopes: Scopes
    authorize_url: str | None = Field(
        description="Where a person can authorize it, if it does not work"
    )
    proxy_url: str = Field(description="The URL for calls: append the path at the service")


class ConnectionsOut(Schema):
    """All connections of the application, ordered by link name."""

    connections: list[ConnectionOut]


def list_connections(program: Program) -> dict[str, Any]:
    """Describe all connections."""
    states = program.states
    return {"connections": [_describe(states[name], program) for name in sorted(states)]}


def read_connection(program: Program, link_name: str) -> dict[str, Any]:
    """Describe one connection, or raise ``ConnectionNotFound``."""
    state = program.states.get(link_name)
    if state is None:
        raise ConnectionNotFound(
            f"{program.application} has no connection {link_name} in {program.environment.label}."
        )
    return _describe(state, program)


def _describe(state: ConnectionState, program: Program) -> dict[str, Any]:
    snapshot = state.snapshot
    credential = state.authorization.credential if state.authorization else None
    needs_user = lacks_user(state, has_user=program.user is not None)
    return {
        "link_name": snapshot.link_name,
        "name": snapshot.name,
        "service": snapshot.definition.name,
        "connector": snapshot.connector,
        "level": snapshot.level,
        "environment": state.environment.value,
        "state": "user_token_required" if needs_user and not state.disablement else state.name,
        "works": state.works,
        "problem": None if needs_user and not state.disablement else state.problem or None,
        "reason_code": None if needs_user else state.reason_code or None,
        "account": credential.label if credential else None,
        "ends_at": credential.reauthorize_by if credential else None,
        "scopes": {
            "asked": list(snapshot.scopes_asked),
            "granted": list(credential.scopes_granted) if credential else [],
            "missing": list(state.missing),
        },
        "authorize_url": None
        if state.works or needs_user or state.disablement
        else state.build_authorize_url(public_url),
        "proxy_url": f"{settings.PUBLIC_URL}/api/v1/connections/{snapshot.link_name}/proxy",
    }
