"""A flow: one attempt to authorize a connection on the authorization page of a service."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from connections.models.connection import Connection
from connections.models.oauth_client import OAuthClient
from console.accounts.models import Organization
from console.encryption.fields import EncryptedJSONField

FLOW_LIFETIME = timedelta(minutes=10)


class FlowQuerySet(models.QuerySet["Flow"]):
    def waiting(self) -> FlowQuerySet:
        """Keep the flows that are in progress, in the browser or at the token endpoint."""
        return self.filter(outcome__in=WAITING)

    def end(self, outcome: Flow.Outcome, problem: str) -> int:
        """End flows and erase their code verifiers; return how many."""
        return self.update(outcome=outcome, problem=problem[:600], code_verifier=None)

    def stop(self, problem: str) -> int:
        """Stop flows. An exchange in progress fails when it stores its tokens."""
        return self.waiting().end(Flow.Outcome.FAILED, problem)


class Flow(models.Model):
    """One attempt to authorize, bound to a person, browser session, connection and OAuth client.

    Only hashes of ``state`` (RFC 6749 section 10.12) and of the browser's token are stored.
    """

    class Outcome(models.TextChoices):
        OPEN = "open", "Waiting for the service"
        EXCHANGING = "exchanging", "Asking the service for tokens"
        #: The account is another one than before: the person is asked (``replacing.py``).
        CONFIRMING = "confirming", "Waiting for a confirmation"
        COMPLETED = "completed", "Authorized"
        FAILED = "failed", "Not authorized"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64)
    code_verifier = EncryptedJSONField(bound_to=("connection_id",), null=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="flows")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    environments = models.JSONField()
    client = models.ForeignKey(OAuthClient, models.CASCADE, related_name="+")
    redirect_uri = models.CharField(max_length=500)
    parameters = models.JSONField(default=dict)
    scopes_asked = models.JSONField(default=list)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.OPEN)
    #: Why it failed and what to do, in sentences for a person.
    problem = models.CharField(max_length=600, blank=True)
    #: The page of this console to return to once it is completed.
    return_url = models.CharField(max_length=5_000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    objects = FlowQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "created_at"], name="flow_of_a_person")]

    def __str__(self) -> str:
        return f"{self.connection}: {self.get_outcome_display()}"

    def get_absolute_url(self) -> str:
        return reverse("flow_detail", args=[self.pk])

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def is_waiting(self) -> bool:
        return self.outcome in WAITING


WAITING = (Flow.Outcome.OPEN, Flow.Outcome.EXCHANGING, Flow.Outcome.CONFIRMING)


def digest(token: str) -> str:
    """Hash a random token of 256 bits, which needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
