"""A released connection: a copy of its settings in the current release of an environment."""

from __future__ import annotations

from django.db import models

from connections.models.connection import Connection
from connections.models.snapshot import ConnectionSnapshot
from console.choices import Environment


class ReleasedConnection(models.Model):
    """The settings of a connection in the current release of an environment.

    Written in one transaction with the pointer to that release, so that reading the settings of
    one connection does not load the whole release.
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
                fields=["connection", "environment"], name="one_snapshot_an_environment"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} in {self.get_environment_display()}, release {self.number}"

    @property
    def snapshot(self) -> ConnectionSnapshot:
        return ConnectionSnapshot.from_document(self.document)
