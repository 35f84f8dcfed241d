"""Who is to be told that an authorization has stopped working, and which secrets do not open."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models import Connection
from console.accounts.models import Organization

#: How long to wait after each attempt to send a mail; then it is given up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 720))

#: Who can do what about a secret that does not open, by the label of its model.
REMEDIES = {
    "connections.oauthclient": "Tokens cannot be obtained or renewed with it. A super admin types "
    "the client_secret again under OAuth clients in Administration; the service shows it, or "
    "makes a new one.",
    "connections.flow": "Begin this authorization again.",
    "webhooks.webhook": "Nothing is sent to it. People who manage webhooks can delete "
    "it and register it again.",
    "keys.tokenkey": "The console makes another one when it needs it; nobody has to do anything.",
    "mfa.authenticator": "It cannot be used to sign in. An operator deletes it in Administration, "
    "and the person sets up another one.",
}


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


class UnreadableSecret(models.Model):
    """A sealed value that does not open, while the key ring is the right one.

    ``model`` and ``row`` are the label and the key of the row, ``what`` names it for people.
    """

    model = models.CharField(max_length=60)
    row = models.CharField(max_length=40)
    field = models.CharField(max_length=40)
    #: Whose super admins see it; empty where it concerns the whole console.
    organization = models.ForeignKey(Organization, models.CASCADE, null=True, related_name="+")
    what = models.CharField(max_length=300)
    noticed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["noticed_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["model", "row", "field"], name="one_line_a_secret")
        ]

    def __str__(self) -> str:
        return self.what

    @property
    def remedy(self) -> str:
        """Say who can do what about it."""
        return REMEDIES.get(self.model, "An operator can add the key it needs.")
