"""Notices about authorizations that stopped working, and secrets that cannot be decrypted."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone

from connections.models import Connection
from console.accounts.models import Organization

#: How long to wait after each failed attempt to send a mail; after the last one it is given up.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 720))

#: How to fix a secret that cannot be decrypted, by the label of its model.
REMEDIES = {
    "connections.oauthclient": "Tokens cannot be obtained or refreshed with it. A super admin can "
    "enter the client_secret again under OAuth clients in Administration; the service shows it "
    "or creates a new one.",
    "connections.flow": "Start this authorization again.",
    "webhooks.webhook": "Nothing is sent to it. People who manage webhooks can delete "
    "it and register it again.",
    "keys.tokenkey": "The console creates a new one when it needs it. Nothing has to be done.",
    "mfa.authenticator": "It cannot be used to sign in. An operator can delete it in "
    "Administration, and the person can set up another one.",
}


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self) -> NoticeQuerySet:
        """Keep the notices that must be sent now."""
        return self.filter(sent_at=None, next_try_at__lte=timezone.now())


class Notice(models.Model):
    """A mail to one person about one connection that stopped working. It is sent once.

    ``event`` is the key of the audit event that recorded it.
    """

    event = models.UUIDField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    account = models.CharField(max_length=100, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    #: Null after the last attempt has failed.
    next_try_at = models.DateTimeField(null=True, default=timezone.now)
    sent_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "person"], name="one_notice_a_person")
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(sent_at=None),
                name="notice_to_be_sent",
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection} to {self.person}"


class UnreadableSecret(models.Model):
    """A sealed value that cannot be decrypted although the key ring is correct.

    ``model`` and ``row`` are the label and the key of the row; ``what`` describes it for people.
    """

    model = models.CharField(max_length=60)
    row = models.CharField(max_length=40)
    field = models.CharField(max_length=40)
    #: Super admins of this organization see it; null if it concerns the whole console.
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
        """Return how to fix it, and who can."""
        return REMEDIES.get(self.model, "An operator can add the key that it was encrypted with.")
