"""Who is to be told that an authorization has stopped working."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models import Connection

#: How long to wait after each attempt to send a mail; then it is given up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 720))


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self) -> NoticeQuerySet:
        """Keep what is to be sent now."""
        return self.filter(told_at=None, next_try_at__lte=timezone.now())


class Notice(models.Model):
    """One stop of one connection, and one person who is told of it, once.

    ``event`` is the key of the audit event that recorded the stop.
    """

    event = models.UUIDField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    account = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    #: Empty once it is given up.
    next_try_at = models.DateTimeField(null=True, default=timezone.now)
    told_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "person"], name="one_notice_a_person")
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(told_at=None),
                name="notice_to_be_sent",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} to {self.person}"
