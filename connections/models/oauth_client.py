"""An OAuth client: this console as registered with a service (RFC 6749 section 2).

A service can have several clients for the same organization, environment and host. They share
one redirect URI, and one of them is the default.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.db import models
from django.db.models.functions import Lower

from connections.models.snapshot import ConnectionSnapshot
from connectors.definitions.registry import connector_or_placeholder
from connectors.oauth2.client_authentication import ClientCredentials
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.choices import Environment
from console.encryption.fields import EncryptedJSONField
from console.names import NameField
from console.public_url import public_url

FIRST_NAME = "Main"
#: A client can be limited to one of these.
CLIENT_ENVIRONMENTS = [choice for choice in Environment.choices if choice[0] != Environment.ALL]


class OAuthClientQuerySet(models.QuerySet["OAuthClient"]):
    def visible_to(self, user: Any) -> OAuthClientQuerySet:
        """Filter to the clients that a person may manage. Operators manage all of them."""
        if user.is_superuser:
            return self.all()
        own = Organization.objects.allowing(user, Action.MANAGE_OAUTH_CLIENTS)
        return self.filter(organization__in=own)


class OAuthClient(models.Model):
    """``client_id`` and ``client_secret``, as a super admin has registered them."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = NameField(
        max_length=50,
        default=FIRST_NAME,
        help_text="People see it where they choose between several clients.",
    )
    #: The last part of the redirect URI. It identifies the owner, the service and the host.
    reference = models.CharField(max_length=160, editable=False)
    #: Connections use it unless another one was chosen for them.
    is_default = models.BooleanField("default", default=False, editable=False)
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
        choices=CLIENT_ENVIRONMENTS,
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

    objects = OAuthClientQuerySet.as_manager()

    class Meta:
        verbose_name = "OAuth client"
        ordering = ["connector_slug", "reference", "-is_default", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["reference"],
                condition=models.Q(is_default=True),
                name="one_default_oauth_client",
            ),
            models.UniqueConstraint(
                "reference", Lower("name"), name="oauth_client_name_for_reference"
            ),
        ]

    def __str__(self) -> str:
        connector = connector_or_placeholder(self.connector_slug).name
        return f"{self.name} for {connector} ({self.reference})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Set the reference of a new client, and make the first one the default."""
        if not self.reference:
            self.reference = client_reference(
                self.connector_slug, self.organization, self.environment, self.host
            )
        if self._state.adding and not self.siblings.filter(is_default=True).exists():
            self.is_default = True
        super().save(*args, **kwargs)

    @property
    def siblings(self) -> models.QuerySet[OAuthClient]:
        """Return the other clients for the same service, organization, environment and host."""
        return OAuthClient.objects.filter(reference=self.reference).exclude(pk=self.pk)

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
    """Return the reference of a client, which its redirect URI ends with.

    Each authorization server has a redirect URI of its own (RFC 9700 section 2.1), so that a
    response cannot be taken for that of another one.
    """
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
