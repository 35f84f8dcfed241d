"""Where a connection is authorized: by its developers, or by a client that installed it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Case, F, Q, QuerySet, When
from django.urls import reverse

from connections.models.authorization import Authorization
from connections.models.connection import Connection
from connections.models.flow import Flow
from connections.models.installed_connection import InstalledConnection
from connections.models.oauth_client import OAuthClient, host_of
from connections.models.pending_grant import PendingGrant
from connections.models.snapshot import ConnectionSnapshot
from connectors.definitions.schema import Connector
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.choices import Environment, Level


@dataclass(frozen=True, kw_only=True)
class AuthorizationSite:
    """A connection in one organization, with its settings there.

    Each of ``environments`` needs an authorization. For the developers these are Development
    and Stage, or one for both; for a client organization it is Production.
    """

    connection: Connection
    organization: Organization
    snapshot: ConnectionSnapshot
    environments: tuple[Environment, ...]
    #: The primary key in URLs: that of the connection, or of the installed connection.
    key: uuid.UUID
    #: The OAuth client that was chosen for the connection here; none for the default client.
    chosen_client: uuid.UUID | None = None

    def __str__(self) -> str:
        return self.snapshot.name

    @classmethod
    def of_connection(cls, connection: Connection) -> AuthorizationSite:
        """Return the site where the developers authorize a connection."""
        return cls(
            connection=connection,
            organization=connection.application.organization,
            snapshot=connection.snapshot,
            environments=connection.environments,
            key=connection.pk,
            chosen_client=connection.oauth_client_id,
        )

    @classmethod
    def of_installed(cls, row: InstalledConnection) -> AuthorizationSite:
        """Return the site where a client organization authorizes a connection."""
        return cls(
            connection=row.connection,
            organization=row.organization,
            snapshot=row.snapshot,
            environments=(Environment.PRODUCTION,),
            key=row.pk,
        )

    @classmethod
    def of_flow(cls, flow: Flow | PendingGrant, user: Any) -> AuthorizationSite | None:
        """Return the site of a flow with its current settings, if the person may authorize it.

        The parameters are those that the person chose when the flow began.
        """
        if Environment.PRODUCTION in flow.environments:
            rows = InstalledConnection.objects.live().visible_to(user)
            row = (
                rows.filter(connection=flow.connection_id, organization=flow.organization_id)
                .select_related("connection__application", "organization")
                .first()
            )
            site = cls.of_installed(row) if row else None
        else:
            known = Connection.objects.visible_to(user).filter(pk=flow.connection_id)
            connection = known.select_related("application__organization").first()
            site = cls.of_connection(connection) if connection else None
        return site.with_parameters(flow.parameters) if site else None

    @property
    def connector(self) -> Connector:
        return self.snapshot.definition

    @property
    def is_home(self) -> bool:
        """Tell whether this is the developers' own organization."""
        return Environment.PRODUCTION not in self.environments

    @property
    def is_personal(self) -> bool:
        """Tell whether each person authorizes it with their own account."""
        return self.snapshot.level == Level.LOGGED_IN_USER

    @property
    def people_url(self) -> str:
        """Return the URL of the list of everyone's authorizations."""
        name = "connection_people" if self.is_home else "installed_people"
        return reverse(name, args=[self.key])

    @property
    def url(self) -> str:
        """Return the URL of the page about it."""
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
        """Return the action that a person must be allowed in the organization to authorize it."""
        if self.is_home:
            return Action.MANAGE_CONNECTIONS
        shared = self.snapshot.level == Level.ADMINISTRATOR
        return Action.AUTHORIZE_INSTALLED if shared else Action.USE_INSTALLED

    def owner(self, user: Any) -> Any:
        """Return the owner of an authorization that this person gives; none if it is shared."""
        return user if self.snapshot.level == Level.LOGGED_IN_USER else None

    def authorizations(self, user: Any) -> QuerySet[Authorization]:
        """Return the authorizations that this person sees: the shared ones, or their own."""
        return Authorization.objects.filter(
            connection=self.connection,
            organization=self.organization,
            environment__in=self.environments,
            user=self.owner(user),
        )

    def oauth_clients(self, environment: str = "") -> QuerySet[OAuthClient]:
        """Return the OAuth clients that can serve this site in an environment.

        The client of an organization never serves another organization. If people type in the
        host of the service, a client serves that host only. Without an environment, only clients
        for every environment are returned.
        """
        owner = Q(organization=self.organization)
        if not self.connector.own_host:
            owner |= Q(organization=None)
        return OAuthClient.objects.filter(
            owner,
            connector_slug=self.connector.slug,
            host=host_of(self.snapshot),
            environment__in=["", environment],
        )

    def oauth_client(self, environment: str) -> OAuthClient | None:
        """Return the OAuth client for an authorization: the chosen one, or the best default."""
        is_chosen = Q(pk=self.chosen_client)
        return (
            self.oauth_clients(environment)
            .filter(is_chosen | Q(is_default=True))
            .order_by(
                Case(When(is_chosen, then=0), default=1),
                F("organization").asc(nulls_last=True),
                "-environment",
            )
            .first()
        )

    def scopes_to_ask(self, environments: Iterable[str]) -> tuple[str, ...]:
        """Return the scopes to request when these environments are authorized."""
        if self.is_home:
            return self.connection.scopes_to_ask(environments)
        return self.snapshot.scopes_asked

    def with_parameters(self, parameters: Mapping[str, str]) -> AuthorizationSite:
        """Return the site for an account elsewhere, such as in another data center."""
        return replace(self, snapshot=replace(self.snapshot, parameters=dict(parameters)))
