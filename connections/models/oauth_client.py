"""An OAuth client: this console as registered with a service (RFC 6749 section 2)."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import models

from connections.models.snapshot import ConnectionSnapshot
from connectors.definitions.registry import connector_or_placeholder
from connectors.oauth2.client_authentication import ClientCredentials
from console.accounts.models import Organization
from console.choices import Environment
from console.encryption.fields import EncryptedJSONField
from console.public_url import public_url


class OAuthClient(models.Model):
    """``client_id`` and ``client_secret``, registered by a super admin in Django admin."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    #: The last part of the redirect URI. It identifies the owner, the service and the host.
    reference = models.CharField(max_length=160, unique=True, editable=False)
    connector_slug = models.CharField("connector", max_length=60, db_column="connector")
    organization = models.ForeignKey(
        Organization,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="oauth_clients",
        help_text="Empty: every organization of this console.",
    )
    environment = models.CharField(
        max_length=20,
        blank=True,
        choices=[choice for choice in Environment.choices if choice[0] != Environment.ALL],
        help_text="Empty: every environment.",
    )
    host = models.CharField(
        max_length=255,
        blank=True,
        help_text="Only for services with a host of your own, such as hub.example.com:8443.",
    )
    client_id = models.CharField("client_id", max_length=500)
    client_secret = EncryptedJSONField(
        bound_to=("connector_slug", "organization_id", "host"), null=True, blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "OAuth client"
        ordering = ["connector_slug", "reference"]

    def __str__(self) -> str:
        return f"{connector_or_placeholder(self.connector_slug).name} ({self.reference})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self.reference:
            self.reference = client_reference(
                self.connector_slug, self.organization, self.environment, self.host
            )
        super().save(*args, **kwargs)

    @property
    def credentials(self) -> ClientCredentials:
        """Decrypt the client credentials for the token or revocation endpoint."""
        secret = self.client_secret
        return ClientCredentials(
            client_id=self.client_id, client_secret=secret.reveal() if secret else ""
        )

    @property
    def redirect_uri(self) -> str:
        """Return the redirect URI to register at the service (RFC 6749 section 3.1.2)."""
        return redirect_uri(self.reference)


def client_reference(
    connector_slug: str, organization: Organization | None, environment: str = "", host: str = ""
) -> str:
    """Return the reference of a client. Each has its own redirect URI (RFC 9700 section 2.1)."""
    parts = [organization.slug if organization else "", connector_slug, environment]
    if host:
        parts.append(hashlib.sha256(host.encode()).hexdigest()[:12])
    return "--".join(part for part in parts if part)


def redirect_uri(reference: str) -> str:
    """Return the absolute redirect URI. It never depends on the Host header of a request."""
    return public_url("oauth_callback", reference)


def host_of(snapshot: ConnectionSnapshot) -> str:
    """Return the host that a person typed in, or an empty string."""
    for parameter in snapshot.definition.parameters:
        if parameter.is_host:
            return snapshot.parameters.get(parameter.name, "").lower()
    return ""
