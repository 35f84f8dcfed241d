"""Canceled flows: so that a flow canceled before it began cannot begin later."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class CanceledFlow(models.Model):
    """The id of a flow that a person canceled, known to the page before the flow has a row."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    flow_id = models.UUIDField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "flow_id"], name="one_cancellation_of_a_flow")
        ]

    def __str__(self) -> str:
        return str(self.flow_id)
