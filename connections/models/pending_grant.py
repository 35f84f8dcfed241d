"""A grant for another account than the connection has, until the person has confirmed it."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models.connection import Connection
from connections.models.flow import Flow
from connections.models.oauth_client import OAuthClient
from console.accounts.models import Organization
from console.encryption.fields import EncryptedJSONField

PENDING_LIFETIME = timedelta(minutes=10)


class PendingGrant(models.Model):
    """A new grant that waits for a decision: it would replace the authorization of others.

    The old authorization stays in force. The row is deleted with the decision, or soon after
    ``expires_at``; no call is ever made with its secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    environments = models.JSONField()
    #: The flow that waits as well; empty if the credential was typed in.
    flow = models.OneToOneField(Flow, models.SET_NULL, null=True, related_name="pending")
    client = models.ForeignKey(OAuthClient, models.CASCADE, null=True, related_name="+")
    #: The account that would be used, and those that it would replace, as people know them.
    label = models.CharField(max_length=200)
    replaces = models.JSONField()
    parameters = models.JSONField(default=dict)
    #: The rest of the grant, with its secret.
    grant = EncryptedJSONField(bound_to=("connection_id",), null=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.connection}: {self.label}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
