"""Which connections use an OAuth client, and which wait for one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from connections.models import Authorization, Connection, InstalledConnection, OAuthClient
from connectors.definitions.registry import connector_or_placeholder
from connectors.definitions.schema import Connector
from console.accounts.models import Organization, User
from console.accounts.policy import Action


@dataclass(frozen=True, kw_only=True)
class ClientUse:
    """A connection that uses a client. ``url`` is empty for people who may not open it."""

    connection: Connection
    url: str
    authorizations: int
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class WaitingConnector:
    """A service whose connections cannot be authorized before a client is registered."""

    connector: Connector
    connections: int


def connections_using(client: OAuthClient) -> QuerySet[Connection]:
    """Return the connections for which a client was chosen, or which it has authorized."""
    authorized = Authorization.objects.filter(
        connection=OuterRef("pk"), credential__client=client.pk
    )
    return Connection.objects.filter(Q(oauth_client=client.pk) | Exists(authorized))


def use_counts(clients: Iterable[OAuthClient]) -> dict[uuid.UUID, int]:
    """Count the connections that use each of these clients."""
    keys = [client.pk for client in clients]
    chosen = Connection.objects.filter(oauth_client__in=keys)
    authorized = Authorization.objects.filter(credential__client__in=keys)
    users: dict[Any, set[Any]] = {key: set() for key in keys}
    for rows in (
        chosen.values_list("oauth_client_id", "pk"),
        authorized.values_list("credential__client_id", "connection_id"),
    ):
        for client, connection in rows:
            users[client].add(connection)
    return {client: len(found) for client, found in users.items()}


def client_uses(
    client: OAuthClient, connections: Iterable[Connection], reader: User
) -> list[ClientUse]:
    """Return how these connections use a client, with the pages that the reader may open."""
    rows = list(connections)
    keys = [row.pk for row in rows]
    counted = (
        Authorization.objects.filter(credential__client=client, connection__in=keys)
        .order_by()
        .values_list("connection")
        .annotate(number=Count("pk"))
    )
    numbers = dict(counted)
    own = set(
        Connection.objects.visible_to(reader).filter(pk__in=keys).values_list("pk", flat=True)
    )
    installed = InstalledConnection.objects.visible_to(reader).filter(connection__in=keys)
    urls = {
        connection: reverse("installed_connection", args=[pk])
        for pk, connection in installed.values_list("pk", "connection")
    }
    urls |= {pk: reverse("connection_detail", args=[pk]) for pk in own}
    return [
        ClientUse(
            connection=row,
            url=urls.get(row.pk, ""),
            authorizations=numbers.get(row.pk, 0),
            is_chosen=row.oauth_client_id == client.pk,
        )
        for row in rows
    ]


def waiting_connectors(
    user: User, organization: Organization | None = None, *, limit: int | None = None
) -> list[WaitingConnector]:
    """Return the services whose connections wait for an OAuth client, most connections first."""
    own = Organization.objects.allowing(user, Action.MANAGE_OAUTH_CLIENTS)
    clients = OAuthClient.objects.filter(
        Q(organization=None) | Q(organization=OuterRef("application__organization")),
        connector_slug=OuterRef("connector_slug"),
    )
    rows = Connection.objects.visible_to(user).created()
    rows = rows.filter(application__organization__in=[organization] if organization else own)
    counted = (
        rows.filter(~Exists(clients), auth_type="oauth2")
        .order_by()
        .values_list("connector_slug")
        .annotate(number=Count("pk"))
        .order_by("-number", "connector_slug")[:limit]
    )
    return [
        WaitingConnector(connector=connector_or_placeholder(slug), connections=number)
        for slug, number in counted
    ]
