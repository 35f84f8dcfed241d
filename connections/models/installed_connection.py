"""A connection as a client organization has it, with the application that it installed."""

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
        """Leave out those whose license has ended."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=timezone.now()))

    def visible_to(self, user: Any) -> InstalledConnectionQuerySet:
        """Keep what the person may authorize, which is all that he sees.

        An Administrator connection is authorized once for all by those who run the
        organization, a Logged-in User one by each of its people for himself.
        """
        shared = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
        own = Organization.objects.allowing(user, Action.USE_INSTALLED)
        return self.filter(
            models.Q(document__level=Level.ADMINISTRATOR, organization__in=shared)
            | models.Q(document__level=Level.LOGGED_IN_USER, organization__in=own)
        )


class InstalledConnection(models.Model):
    """A connection as a client organization has it: as it stands in the release installed there.

    It is made, replaced and taken away with the installation, in one transaction. What has
    no such row cannot be authorized or called for that organization.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="installed")
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="installed_connections"
    )
    number = models.PositiveIntegerField()
    document = models.JSONField()
    #: When the license of the application ends; empty while it has no end.
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
