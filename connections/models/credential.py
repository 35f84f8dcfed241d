"""The secret of one account at one service: tokens, a key or a password."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models.oauth_client import OAuthClient
from connectors.definitions.registry import connector_or_placeholder
from connectors.definitions.schema import AuthType, Connector
from connectors.oauth2.client_authentication import ClientCredentials
from console.accounts.models import Organization
from console.encryption.fernet_keys import SecretUnreadable
from console.encryption.fields import EncryptedJSONField
from console.names import NameField

EXPIRING_WITHIN = timedelta(days=14)


class Credential(models.Model):
    """The secret of one account at one service.

    Several authorizations may use one credential (*reuse*), because a rotating refresh token
    must be stored only once. ``version`` increases with every change of the secret. The lease
    names the process that refreshes it (``connections/credentials/refreshing.py``).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    connector_slug = models.CharField("connector", max_length=60, db_column="connector")
    auth_type: models.CharField[AuthType, AuthType] = models.CharField(max_length=20)
    client = models.ForeignKey(OAuthClient, models.PROTECT, null=True, related_name="+")
    #: The owner of the account, for a Logged-in User connection only.
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    parameters = models.JSONField(default=dict)
    #: Values of the callback and the token response that the connector's templates need.
    kept = models.JSONField(default=dict)
    label = NameField(max_length=100)
    account_id = models.CharField(max_length=200, blank=True)
    scopes_granted = models.JSONField(default=list)
    secret = EncryptedJSONField(bound_to=("organization_id", "connector_slug"), null=True)
    #: When the current secret was obtained; with ``expires_at``, the lifetime of the token.
    obtained_at = models.DateTimeField(default=timezone.now)
    #: When the access token expires; empty if the service did not say.
    expires_at = models.DateTimeField(null=True)
    #: When the grant ends: without a refresh token, or when the refresh token expires.
    ends_at = models.DateTimeField(null=True)
    #: Whether each refresh extends ``ends_at``, as far as is known.
    is_extended = models.BooleanField(default=False)
    #: Whether this access token is the result of an early refresh after a 401. It is refreshed
    #: early again only if the check call fails too (``credentials/unauthorized_response.py``).
    renewed_early = models.BooleanField(default=False)
    version = models.PositiveIntegerField(default=1)
    lease_owner = models.CharField(max_length=40, blank=True)
    lease_until = models.DateTimeField(null=True)
    attempt = models.PositiveIntegerField(default=0)
    #: The token endpoint is not called before this time, after failures in a row.
    retry_at = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    #: The service's reason for refusing the grant for good. It is not asked for tokens again.
    refused = models.CharField(max_length=300, blank=True)
    #: Why the last refresh failed; empty after a success or after the cause is fixed.
    renewal_problem = models.CharField(max_length=300, blank=True)
    #: Whether the service refused the OAuth client, so that a super admin must act.
    client_refused = models.BooleanField(default=False)
    #: An unexplained refusal (status and code), how many in a row, and since when.
    refusal = models.CharField(max_length=100, blank=True)
    refusals = models.PositiveIntegerField(default=0)
    refusal_since = models.DateTimeField(null=True)
    #: The raw token response, until it is parsed and stored.
    journal = EncryptedJSONField(bound_to=("organization_id", "connector_slug"), null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: The last test: when it ran, and why it failed (empty if it passed).
    checked_at = models.DateTimeField(null=True)
    check_problem = models.CharField(max_length=300, blank=True)
    #: When the next background refresh and the next background test are due; at first empty.
    renew_at = models.DateTimeField(null=True, db_index=True)
    check_at = models.DateTimeField(null=True, db_index=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["organization", "connector_slug", "-created_at"],
                name="credential_newest_first",
            ),
            # Few rows are about to end or failed their last test, but every page asks for them.
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
        return connector_or_placeholder(self.connector_slug)

    @property
    def values(self) -> dict[str, str]:
        """Return the values for the placeholders in the connector's templates."""
        known = {**self.parameters, **self.kept}
        if self.connector.names_its_client and self.client:
            known["client_id"] = self.client.client_id
        return known

    def open_secret(self) -> Mapping[str, str]:
        """Decrypt the secret; raise ``SecretUnreadable``."""
        if self.secret is None:
            raise SecretUnreadable(f"Credential {self.pk} has no secret.")
        return self.secret.reveal()

    @property
    def client_credentials(self) -> ClientCredentials:
        """Decrypt the credentials of the OAuth client; raise ``SecretUnreadable``."""
        if self.client is None:
            raise SecretUnreadable(f"Credential {self.pk} has no OAuth client.")
        return self.client.credentials

    @property
    def has_refresh_token(self) -> bool:
        return self.auth_type == "oauth2" and bool(self.open_secret().get("refresh_token"))

    @property
    def has_ended(self) -> bool:
        """Tell whether the grant has ended.

        If refreshes extend it, its end is not certain until the service refuses a refresh.
        """
        if self.ends_at is None or self.is_extended:
            return False
        return self.ends_at <= timezone.now()

    @property
    def reauthorize_by(self) -> datetime | None:
        """Return when a person has to authorize again at the latest, as far as is known.

        If refreshes extend the grant there is no such time, because the console refreshes it
        before half of its life is over (``renewal.py``). If it did not, the grant may end.
        """
        now = timezone.now()
        if self.ends_at is None or not self.is_extended:
            return self.ends_at
        return self.ends_at if self.obtained_at < now - (self.ends_at - now) else None

    @property
    def is_expiring(self) -> bool:
        end = self.reauthorize_by
        return end is not None and end < timezone.now() + EXPIRING_WITHIN
