"""An installed connection: a connection in a client organization that installed the application."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from connections.models.connection import Connection
from connections.models.snapshot import ConnectionSnapshot
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.choices import Level


class InstalledConnectionQuerySet(models.QuerySet["InstalledConnection"]):
    def live(self) -> InstalledConnectionQuerySet:
        """Leave out installations with an expired license."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=timezone.now()))

    def visible_to(self, user: Any) -> InstalledConnectionQuerySet:
        """Keep the connections that a person may authorize; they see no others.

        The admins of an organization authorize an Administrator connection once for everybody.
        Each person authorizes a Logged-in User connection for themselves.
        """
        shared = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
        own = Organization.objects.allowing(user, Action.USE_INSTALLED)
        return self.filter(
            models.Q(document__level=Level.ADMINISTRATOR, organization__in=shared)
            | models.Q(document__level=Level.LOGGED_IN_USER, organization__in=own)
        )


class InstalledConnection(models.Model):
    """A connection in a client organization, with the settings of the installed release.

    It is created, replaced and deleted in one transaction with the installation. A connection
    without this row cannot be authorized or called for that organization.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="installed")
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="installed_connections"
    )
    number = models.PositiveIntegerField()
    document = models.JSONField()
    #: When the license of the application ends; empty for a license without an end.
    ends_at = models.DateTimeField(null=True)

    objects = InstalledConnectionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "organization"], name="installed_once_an_organization"
            )
        ]

    def __str__(self) -> str:
        return str(self.document["name"])

    @property
    def snapshot(self) -> ConnectionSnapshot:
        return ConnectionSnapshot.from_document(self.document)

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()
