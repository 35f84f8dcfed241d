"""What joins a connection to the rest of its application."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.utils import timezone

from connections.models.connection import Connection
from connections.standing import Environment, Level, Standing
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Component


class Reference(models.Model):
    """A component's use of a connection, found by reading the component when it is saved."""

    component = models.ForeignKey(Component, models.CASCADE, related_name="references")
    connection = models.ForeignKey(Connection, models.RESTRICT, related_name="references")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component", "connection"], name="one_reference_each")
        ]

    def __str__(self) -> str:
        return f"{self.component} uses {self.connection}"


class ReleasedConnection(models.Model):
    """A connection as it stands in the release that an environment holds now.

    Written with the pointer to that release, in one transaction, so that whoever asks how a
    connection stands in Stage need not read the whole release.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="released")
    environment = models.CharField(
        max_length=20, choices=[(Environment.STAGE.value, Environment.STAGE.label)]
    )
    number = models.PositiveIntegerField()
    document = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "environment"], name="one_standing_an_environment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} in {self.get_environment_display()}, release {self.number}"

    @property
    def standing(self) -> Standing:
        return Standing.from_document(self.document)


class InstalledConnectionQuerySet(models.QuerySet["InstalledConnection"]):
    def live(self) -> InstalledConnectionQuerySet:
        """Leave out those whose licence has ended."""
        return self.filter(models.Q(ends_at=None) | models.Q(ends_at__gt=timezone.now()))

    def visible_to(self, user: Any) -> InstalledConnectionQuerySet:
        """Keep what the person may authorize, which is all that he sees.

        An Administrator connection is authorized once for all by those who run the
        organisation, a Logged-in User one by each of its people for himself.
        """
        shared = Organization.objects.allowing(user, Action.AUTHORIZE_INSTALLED)
        own = Organization.objects.allowing(user, Action.USE_INSTALLED)
        return self.filter(
            models.Q(document__level=Level.ADMINISTRATOR, organization__in=shared)
            | models.Q(document__level=Level.LOGGED_IN_USER, organization__in=own)
        )


class InstalledConnection(models.Model):
    """A connection as a client organisation has it: as it stands in the release installed there.

    It is made, replaced and taken away with the installation, in one transaction. What has
    no such row cannot be authorized or called for that organisation.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="installed")
    organization = models.ForeignKey(
        Organization, models.CASCADE, related_name="installed_connections"
    )
    number = models.PositiveIntegerField()
    document = models.JSONField()
    #: When the licence of the application ends; empty while it has no end.
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
    def standing(self) -> Standing:
        return Standing.from_document(self.document)

    @property
    def has_ended(self) -> bool:
        return self.ends_at is not None and self.ends_at <= timezone.now()
