"""Where a connection is authorized: at home by its developers, or where it is installed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse

from connections.models import Connection, Flow, InstalledConnection
from connections.models.snapshot import ConnectionSnapshot
from connectors.definitions.schema import Connector
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.choices import Environment, Level


@dataclass(frozen=True, kw_only=True)
class AuthorizationSite:
    """A connection in one organization: how it stands there, and what is authorized for it.

    ``environments`` are those that each need an authorization: Development and Stage, or
    both at once, at home; Production where it is installed.
    """

    connection: Connection
    organization: Organization
    standing: ConnectionSnapshot
    environments: tuple[Environment, ...]
    #: What stands in addresses: the connection's key, or that of the installed one.
    key: uuid.UUID

    def __str__(self) -> str:
        return self.standing.name

    @property
    def connector(self) -> Connector:
        return self.standing.definition

    @property
    def is_home(self) -> bool:
        return Environment.PRODUCTION not in self.environments

    @property
    def url(self) -> str:
        """Return the page about it."""
        name = "connection_detail" if self.is_home else "installed_connection"
        return reverse(name, args=[self.key])

    @property
    def authorize_url(self) -> str:
        name = "connection_authorize" if self.is_home else "installed_authorize"
        return reverse(name, args=[self.key])

    @property
    def reuse_url(self) -> str:
        name = "connection_reuse" if self.is_home else "installed_reuse"
        return reverse(name, args=[self.key])

    @property
    def action(self) -> Action:
        """Name what somebody must be allowed in the organization to authorize it."""
        if self.is_home:
            return Action.MANAGE_CONNECTIONS
        shared = self.standing.level == Level.ADMINISTRATOR
        return Action.AUTHORIZE_INSTALLED if shared else Action.USE_INSTALLED

    def owner(self, user: Any) -> Any:
        """Return whose the authorization is that this person gives: his own, or nobody's."""
        return user if self.standing.level == Level.LOGGED_IN_USER else None

    def scopes_to_ask(self, environments: Iterable[str]) -> tuple[str, ...]:
        """Name the scopes to ask a service for when these environments are authorized."""
        if self.is_home:
            return self.connection.scopes_to_ask(environments)
        return self.standing.scopes_asked

    def with_parameters(self, parameters: Mapping[str, str]) -> AuthorizationSite:
        """Return it for an account that lives elsewhere, such as in another data center."""
        return replace(self, standing=replace(self.standing, parameters=dict(parameters)))


def at_home(connection: Connection) -> AuthorizationSite:
    """Return a connection where its developers authorize it."""
    return AuthorizationSite(
        connection=connection,
        organization=connection.application.organization,
        standing=connection.standing,
        environments=connection.environments,
        key=connection.pk,
    )


def installed(row: InstalledConnection) -> AuthorizationSite:
    """Return a connection where a client organization authorizes it."""
    return AuthorizationSite(
        connection=row.connection,
        organization=row.organization,
        standing=row.standing,
        environments=(Environment.PRODUCTION,),
        key=row.pk,
    )


def of_flow(flow: Flow, user: Any) -> AuthorizationSite | None:
    """Return what a flow was begun for, as it stands now, if this person may authorize it yet.

    Where the account lives is as the person has said when he began.
    """
    if Environment.PRODUCTION in flow.environments:
        rows = InstalledConnection.objects.live().visible_to(user)
        row = (
            rows.filter(connection=flow.connection_id, organization=flow.organization_id)
            .select_related("connection__application", "organization")
            .first()
        )
        site = installed(row) if row else None
    else:
        known = Connection.objects.visible_to(user).filter(pk=flow.connection_id)
        connection = known.select_related("application__organization").first()
        site = at_home(connection) if connection else None
    return site.with_parameters(flow.parameters) if site else None
