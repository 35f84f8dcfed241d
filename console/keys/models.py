"""Keys of applications, and the keys by which the console signs who opens one."""

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
        """Keep the keys that the person may make and revoke by this action.

        A client's are its super admins' alone, and no business of who manages keys at home.
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
        """Leave out those that were revoked."""
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """What a program of an application comes with; its text is kept nowhere.

    In Development and Stage ``organization`` is the application's own, in Production the one
    that has installed it.
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
    #: The open beginning of its text, by which it is found and known.
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
    """A pair of keys (JWK, RFC 7517) by which tokens are signed; the id is its ``kid``."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    private = EncryptedJSONField()
    public = models.JSONField()
    #: One alone does.
    signs = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When another one took its place; what it has signed counts until it expires.
    retired_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["signs"], condition=models.Q(signs=True), name="one_token_key_signs"
            )
        ]

    def __str__(self) -> str:
        return str(self.pk)
