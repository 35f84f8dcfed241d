"""A bulk action: one verb for many connections, done one connection at a time."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone

from connections.models.connection import Connection
from console.accounts.models import Organization


class BulkAction(models.TextChoices):
    """What can be done with many connections at once."""

    AUTHORIZE = "authorize", "Authorize"
    TEST = "test", "Test"
    TAG = "tag", "Add tags"
    UNTAG = "untag", "Remove tags"
    DISABLE = "disable", "Disable"
    ENABLE = "enable", "Enable"
    DELETE = "delete", "Delete"


class BulkRun(models.Model):
    """One person's bulk action. ``due_at`` is a claim: until then, one process works on it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    action = models.CharField(max_length=20, choices=BulkAction.choices)
    tags = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    #: When a process may continue it; empty once it is finished.
    due_at = models.DateTimeField(null=True, default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"{self.get_action_display()}, {self.created_at:%d %B %Y}"

    def get_absolute_url(self) -> str:
        return reverse("bulk_run", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        return self.due_at is None


class BulkItem(models.Model):
    """One connection of a bulk action, and the result for it."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        SKIPPED = "skipped", "Left out"

    run = models.ForeignKey(BulkRun, models.CASCADE, related_name="items")
    #: Empty once the connection is deleted.
    connection = models.ForeignKey(Connection, models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=50)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    message = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name
