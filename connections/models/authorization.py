"""Who let a connection act, where, and with which credential."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models.connection import Connection
from connections.models.oauth_client import OAuthClient
from connections.models.snapshot import ConnectionSnapshot
from connectors.definitions.registry import connector_or_gone
from connectors.definitions.schema import Connector
from console.accounts.models import Organization
from console.choices import Environment, Level
from console.encryption.fields import SealedField
from console.names import NameField

if TYPE_CHECKING:
    from connections.models.authorization_site import AuthorizationSite

EXPIRING_WITHIN = timedelta(days=14)


class Credential(models.Model):
    """The secret material of one account at one service, in a row of its own.

    Several authorizations may use one credential (*reuse*): a rotating refresh token has
    to stand in one place only. ``version`` rises with every change of the secret; the
    lease says who is refreshing (``connections/credentials/refreshing.py``).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    connector_slug = models.CharField("connector", max_length=60, db_column="connector")
    auth_type = models.CharField(max_length=20)
    client = models.ForeignKey(OAuthClient, models.PROTECT, null=True, related_name="+")
    #: For a Logged-in User connection the person whose account it is, else nobody.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    parameters = models.JSONField(default=dict)
    kept = models.JSONField(default=dict)
    label = NameField(max_length=100)
    account_id = models.CharField(max_length=200, blank=True)
    scopes_granted = models.JSONField(default=list)
    secret = SealedField(bound_to=("organization_id", "connector_slug"), null=True)
    #: When the secret was last given; with ``expires_at`` it tells the token's lifetime.
    obtained_at = models.DateTimeField(default=timezone.now)
    #: When the access token stops working; empty where the service did not say.
    expires_at = models.DateTimeField(null=True)
    #: When nothing but a new authorization helps: there is no refresh token, or it ends too.
    ends_at = models.DateTimeField(null=True)
    #: Whether each renewal moves ``ends_at`` on, as far as is known.
    is_extended = models.BooleanField(default=False)
    #: Whether the access token was renewed before its time: it is not renewed again for a
    #: refused call unless the check refuses it, too (``connections/credentials/api_refusal.py``).
    renewed_early = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    #: The token endpoint is left alone until then, after so many failures in a row.
    retry_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    #: Why the service renews it no more, in its own words: it is never asked again.
    refused = models.CharField(max_length=300, blank=True)
    #: Why the last request for a new token failed, until one succeeds or the cause is fixed.
    renewal_problem = models.CharField(max_length=300, blank=True)
    #: Whether that is because the service refused the OAuth client: a super admin must act.
    client_refused = models.BooleanField(default=False)
    #: A refusal that explains nothing (status and code), how often in a row, and since when.
    refusal = models.CharField(max_length=100, blank=True)
    refusals = models.PositiveIntegerField(default=0)
    refusal_since = models.DateTimeField(null=True)
    #: The token endpoint's raw answer, kept until it is parsed and stored.
    journal = SealedField(bound_to=("organization_id", "connector_slug"), null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: The last test: when, and what was wrong (nothing if it worked).
    checked_at = models.DateTimeField(null=True)
    check_problem = models.CharField(max_length=300, blank=True)
    #: When its turn to be renewed, and to be tested, has come; empty until it is first visited.
    renew_at = models.DateTimeField(null=True, db_index=True)
    check_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "connector_slug", "-created_at"],
                name="credential_newest_first",
            ),
            # What is about to end, and what failed its last test: few, but looked for often.
            models.Index(fields=["organization", "ends_at"], name="credential_ends"),
            models.Index(fields=["organization", "check_problem"], name="credential_fails"),
            models.Index(
                fields=["organization"],
                condition=models.Q(client_refused=True),
                name="credential_client_refused",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def connector(self) -> Connector:
        return connector_or_gone(self.connector_slug)

    @property
    def values(self) -> dict[str, str]:
        """Return what fills the slots of the connector's templates."""
        known = {**self.parameters, **self.kept}
        if self.connector.names_its_client and self.client:
            known["client_id"] = self.client.client_id
        return known

    @property
    def has_ended(self) -> bool:
        """Tell whether its end is over; what a renewal extends ends by the service's word only."""
        if self.ends_at is None or self.is_extended:
            return False
        return self.ends_at <= timezone.now()

    @property
    def last_day(self) -> datetime | None:
        """Return when a person has to authorize again, as far as is known.

        Where each renewal moves the end on there is no such time: it is renewed before half
        of its life is over (``renewal.py``). Only one that was not is about to end.
        """
        now = timezone.now()
        if self.ends_at is None or not self.is_extended:
            return self.ends_at
        return self.ends_at if self.obtained_at < now - (self.ends_at - now) else None

    @property
    def is_expiring(self) -> bool:
        end = self.last_day
        return end is not None and end < timezone.now() + EXPIRING_WITHIN


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def at(self, site: AuthorizationSite, user: Any) -> AuthorizationQuerySet:
        """Keep what this person sees of a site: the shared ones or his own."""
        return self.filter(
            connection=site.connection,
            organization=site.organization,
            environment__in=site.environments,
            user=site.owner(user),
        )

    def seen(
        self, connections: Iterable[uuid.UUID], organization: uuid.UUID, user: Any
    ) -> AuthorizationQuerySet:
        """Keep those of an organization on these connections that this person may act with."""
        return (
            self.filter(
                models.Q(user=None) | models.Q(user=user),
                connection__in=connections,
                organization=organization,
            )
            .select_related("credential")
            .defer("credential__secret", "credential__journal")
        )


class Authorization(models.Model):
    """The grant that lets a connection act in one environment of one organization."""

    class State(models.TextChoices):
        ACTIVE = "active", "Authorized"
        NEEDS_AUTHORIZATION = "needs_authorization", "Not authorized"
        REVOKED = "revoked", "Revoked"
        #: Whoever gave it is deactivated; the credential is kept until he may come back no more.
        SUSPENDED = "suspended", "Suspended"
        UNKNOWN_OUTCOME = "unknown_outcome", "Outcome unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="authorizations")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    environment = models.CharField(max_length=20, choices=Environment.choices)
    #: No index of its own: nearly all rows have none here, and SQLite would choose it.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+", db_index=False
    )
    authorized_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    scopes_asked = models.JSONField(default=list)
    credential = models.ForeignKey(
        Credential, models.SET_NULL, null=True, related_name="authorizations"
    )
    state = models.CharField(max_length=20, choices=State.choices, default=State.ACTIVE)
    #: What it was in before it was suspended, and will be in again.
    state_before = models.CharField(max_length=20, choices=State.choices, blank=True)
    #: Why it is not active, in one sentence for a person.
    reason = models.CharField(max_length=300, blank=True)
    authorized_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(auto_now=True)

    objects = AuthorizationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "organization", "environment", "user"],
                name="one_authorization_a_person",
            ),
            models.UniqueConstraint(
                fields=["connection", "organization", "environment"],
                condition=models.Q(user=None),
                name="one_shared_authorization",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "state", "-changed_at"], name="authorization_in_state"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} in {self.get_environment_display()}"

    def acts(self, standing: ConnectionSnapshot, environment: str) -> bool:
        """Tell whether a connection that stands so in an environment acts with this.

        An authorization of another environment is never taken, nor a shared one for a
        Logged-in User connection, nor a person's own for an Administrator one.
        """
        own = standing.level == Level.LOGGED_IN_USER
        return self.environment == standing.slot(environment) and (self.user_id is not None) == own

    @property
    def scopes_needed(self) -> tuple[str, ...]:
        """Name the scopes that the connection needs where this authorization acts."""
        if self.environment == Environment.PRODUCTION:
            installed = self.connection.installed.filter(organization=self.organization_id).first()
            return installed.standing.scopes_asked if installed else ()
        if self.environment == Environment.STAGE:
            return self.connection.standing_in(Environment.STAGE).scopes_asked
        return self.connection.scopes_to_ask([self.environment])

    @property
    def missing_scopes(self) -> list[str]:
        """Name the scopes the connection needs here and the service has not granted."""
        if self.credential is None:
            return []
        oauth2 = self.connection.connector.oauth2
        if oauth2 is None:
            return []
        return list(oauth2.missing(self.scopes_needed, self.credential.scopes_granted))

    @property
    def scopes_granted_count(self) -> int:
        """Count what the service has granted of what the connection needs here."""
        return len(self.scopes_needed) - len(self.missing_scopes)

    @property
    def shown(self) -> dict[str, Any]:
        """Return the state and its facts, as the tag ``state`` shows them."""
        name, credential = self.display_state, self.credential
        if name == "permissions_missing":
            asked = len(self.scopes_needed)
            return {"name": name, "granted": self.scopes_granted_count, "asked": asked}
        if credential is None:
            return {"name": name}
        return {"name": name, "account": credential.label, "expires_at": credential.last_day}

    @property
    def display_state(self) -> str:
        """Name the state as the pages show it (``templates/parts/state.html``)."""
        if self.state != self.State.ACTIVE or self.credential is None:
            return self.state
        if self.credential.has_ended:
            return self.State.NEEDS_AUTHORIZATION
        if self.missing_scopes:
            return "permissions_missing"
        return "expiring" if self.credential.is_expiring else "active"
