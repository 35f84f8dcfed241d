"""Helpers for calls through connections."""

from __future__ import annotations

from typing import Any

from connections.authorizations.connection_state import ConnectionState, connection_states
from connections.calls.exchange import ServiceRequest
from connections.models import Connection
from console.choices import Environment

#: The URL of the sandbox in these tests; the fixture ``network`` answers its requests.
API = "http://localhost:9000"


def state_of(
    connection: Connection, environment: Environment = Environment.DEVELOPMENT, user: Any = None
) -> ConnectionState:
    snapshots = {connection.pk: connection.snapshot_in(environment)}
    home = connection.application.organization_id
    return connection_states({environment: snapshots}, home, user)[environment][connection.pk]


def get(path: str = "/contacts", **fields: Any) -> ServiceRequest:
    return ServiceRequest(method="GET", path=path, **fields)
