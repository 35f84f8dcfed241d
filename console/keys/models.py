"""API keys of applications, and the signing keys of the tokens that identify people."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.encryption.fields import EncryptedJSONField
from console.names import NameField


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def allowing(self, user: Any, action: Action) -> ApiKeyQuerySet:
        """Keep the keys that the person may create and revoke by this action.

        Only a client's super admins manage its keys; the developers of the application do not.
        """
        own = self.filter(organization__in=Organization.objects.allowing(user, action))
        installed = models.Q(environment=Environment.PRODUCTION)
        return own.filter(installed if action == Action.MANAGE_INSTALLATIONS else ~installed)

    def of(
        self, application: Application, organization: Organization, environment: str
    ) -> ApiKeyQuerySet:
        """Keep the keys of one application in one environment of one organization."""
        return self.filter(
            application=application, organization=organization, environment=environment
        )

    def valid(self) -> ApiKeyQuerySet:
        """Leave out revoked keys."""
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """An API key of an application; its text is not stored.

    In Development and Stage, ``organization`` builds the application. In Production, it has
    installed it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    application = models.ForeignKey(Application, models.CASCADE, related_name="keys")
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    environment = models.CharField(
        max_length=20,
        choices=[
            (each.value, each.label)
            for each in (Environment.DEVELOPMENT, Environment.STAGE, Environment.PRODUCTION)
        ],
    )
    name = NameField("Name", max_length=60)
    #: The public start of its text, by which it is found and recognized.
    prefix = models.CharField(max_length=30, unique=True)
    #: SHA-256 of its text, in hexadecimal.
    digest = models.CharField(max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    #: To the minute.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["application", "organization", "environment"], name="key_of_a_place"
            )
        ]

    def __str__(self) -> str:
        return self.name


class TokenKey(models.Model):
    """A key pair that signs tokens (JWK, RFC 7517); its ID is the ``kid``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    private = EncryptedJSONField()
    public = models.JSONField()
    #: Only one key signs.
    signs = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When another key replaced it; tokens that it signed are valid until they expire.
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["signs"], condition=models.Q(signs=True), name="one_token_key_signs"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
