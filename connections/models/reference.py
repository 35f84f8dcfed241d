"""What joins a connection to the rest of its application."""

from __future__ import annotations

from django.db import models

from connections.models.connection import Connection
from connections.standing import Environment, Standing
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
        max_length=20,
        choices=[(e.value, e.label) for e in (Environment.STAGE, Environment.PRODUCTION)],
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
