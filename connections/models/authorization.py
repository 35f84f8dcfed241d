"""An authorization: the grant that lets a connection act in one environment."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models.connection import Connection
from connections.models.credential import Credential
from connections.models.display_state import DisplayState
from connections.models.reason_code import ReasonCode
from connections.models.snapshot import ConnectionSnapshot
from console.accounts.models import Organization
from console.choices import Environment, Level


class AuthorizationQuerySet(models.QuerySet["Authorization"]):
    def usable_by(
        self, user: Any, organization: uuid.UUID, connections: Iterable[uuid.UUID]
    ) -> AuthorizationQuerySet:
        """Keep an organization's authorizations of these connections that a person may use."""
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
        #: The person who gave it is deactivated. The credential is kept for as long as they can
        #: be reactivated with their authorizations.
        SUSPENDED = "suspended", "Suspended"
        UNKNOWN_OUTCOME = "unknown_outcome", "Outcome unknown"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="authorizations")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    environment = models.CharField(max_length=20, choices=Environment.choices)
    #: No index: nearly all rows are empty here, and SQLite would use it nevertheless.
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
    #: The state before the suspension, to restore it.
    state_before = models.CharField(max_length=20, choices=State.choices, blank=True)
    #: Why it is not active: one sentence for a person.
    reason = models.CharField(max_length=300, blank=True)
    #: The same for programs: a ``ReasonCode``.
    reason_code = models.CharField(max_length=40, blank=True)
    #: The code before the suspension, to restore it.
    reason_code_before = models.CharField(max_length=40, blank=True)
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

    def serves(self, snapshot: ConnectionSnapshot, environment: str) -> bool:
        """Tell whether this is the authorization for a connection's calls in an environment.

        Authorizations of other environments never serve. A shared one does not serve a
        Logged-in User connection, and a person's own does not serve an Administrator one.
        """
        is_personal = snapshot.level == Level.LOGGED_IN_USER
        in_slot = self.environment == snapshot.slot(environment)
        return in_slot and (self.user_id is not None) == is_personal

    @property
    def scopes_needed(self) -> tuple[str, ...]:
        """Return the scopes that the connection needs in this environment."""
        if self.environment == Environment.PRODUCTION:
            installed = self.connection.installed.filter(organization=self.organization_id).first()
            return installed.snapshot.scopes_asked if installed else ()
        if self.environment == Environment.STAGE:
            return self.connection.snapshot_in(Environment.STAGE).scopes_asked
        return self.connection.scopes_to_ask([self.environment])

    @property
    def missing_scopes(self) -> list[str]:
        """Return the scopes that the connection needs here and the service has not granted."""
        oauth2 = self.connection.connector.oauth2
        if oauth2 is None or self.credential is None:
            return []
        return list(oauth2.missing(self.scopes_needed, self.credential.scopes_granted))

    @property
    def scopes_granted_count(self) -> int:
        """Count the scopes that the connection needs here and the service has granted."""
        return len(self.scopes_needed) - len(self.missing_scopes)

    @property
    def why_stopped(self) -> str:
        """Return the reason code of an authorization that cannot act, or an empty string."""
        if self.state == self.State.ACTIVE:
            has_ended = self.credential is not None and self.credential.has_ended
            return ReasonCode.ACCESS_EXPIRED if has_ended else ""
        return self.reason_code or _CODES.get(self.state, ReasonCode.UNKNOWN)

    @property
    def display(self) -> DisplayState:
        """Return what pages show for this authorization."""
        needed = self.scopes_needed if self.state == self.State.ACTIVE else ()
        return DisplayState.of(
            self.state,
            self.credential,
            needed=needed,
            oauth2=self.connection.connector.oauth2,
            disabled=self.connection.is_disabled,
        )


#: What is known of authorizations that ended before the console stored codes.
_CODES: Mapping[str, ReasonCode] = {
    Authorization.State.REVOKED: ReasonCode.REVOKED_HERE,
    Authorization.State.SUSPENDED: ReasonCode.PERSON_DEACTIVATED,
    Authorization.State.UNKNOWN_OUTCOME: ReasonCode.REFRESH_OUTCOME_UNKNOWN,
}
