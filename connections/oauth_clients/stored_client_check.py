"""Test an OAuth client at its service, with what is known before anybody has authorized it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from connections.models import Connection, OAuthClient
from connectors.definitions.registry import get_connectors
from connectors.definitions.schema import Connector
from connectors.definitions.templates import slots
from connectors.oauth2.client_check import (
    ClientCheck,
    ClientVerdict,
    check_client,
    missing_values,
)


def check_stored_client(client: OAuthClient) -> ClientCheck:
    """Ask the service about a client. No transaction may be open."""
    connector = get_connectors()[client.connector_slug]
    values = _known_parameters(client)
    if missing := missing_values(connector, values):
        return ClientCheck(
            verdict=ClientVerdict.UNKNOWN,
            message=f"The client cannot be tested yet: the URL of {connector.name} depends on "
            f"{' and '.join(missing)}, which each connection enters. Create a connection first.",
        )
    result = check_client(
        connector, client.credentials, redirect_uri=client.redirect_uri, values=values
    )
    asked = _places(connector, values)
    return replace(result, message=f"{result.message} {asked}".rstrip())


def _places(connector: Connector, values: Mapping[str, str]) -> str:
    """Return where the test asked: another data center may not know the client."""
    used = slots(connector.oauth2.token_endpoint) if connector.oauth2 else set()
    asked = [
        f"{parameter.label}: {parameter.choices.get(value, value)}"
        for parameter in connector.parameters
        if parameter.name in used
        and not parameter.is_host
        and len(parameter.choices) != 1
        and (value := values.get(parameter.name))
    ]
    return f"The test asked at {', '.join(asked)}." if asked else ""


def _known_parameters(client: OAuthClient) -> dict[str, str]:
    """Return parameters for the service's URLs: of its newest connection, or the defaults."""
    connector = get_connectors()[client.connector_slug]
    host = next((p.name for p in connector.parameters if p.is_host), "")
    values = {}
    for parameter in connector.parameters:
        if known := parameter.default or next(iter(parameter.choices), ""):
            values[parameter.name] = known
    rows = Connection.objects.created().filter(connector_slug=client.connector_slug)
    if client.organization_id:
        rows = rows.filter(application__organization=client.organization_id)
    for parameters in rows.order_by("-created_at", "-id").values_list("parameters", flat=True)[:50]:
        if not host or parameters.get(host, "").lower() == client.host:
            values |= parameters
            break
    return values | ({host: client.host} if host else {})
