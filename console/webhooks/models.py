"""Webhooks, and the messages that are delivered to them."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.encryption.fields import EncryptedJSONField


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def allowing(self, user: Any, action: Action) -> WebhookQuerySet:
        """Keep the webhooks of the organizations in which the person may do this."""
        return self.filter(organization__in=Organization.objects.allowing(user, action))


class Webhook(models.Model):
    """A URL that receives events about authorizations of one organization in one application."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    application = models.ForeignKey(Application, models.CASCADE, related_name="webhooks")
    url = models.CharField("URL", max_length=500)
    secret = EncryptedJSONField(bound_to=("organization_id",))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)
    #: While this is set, messages are kept but not sent.
    disabled_at = models.DateTimeField(null=True)
    #: Why it was disabled, in one sentence.
    problem = models.CharField(max_length=300, blank=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.host

    @property
    def host(self) -> str:
        """Return only the host, because the path may contain a secret."""
        return urlsplit(self.url).netloc


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def allowing(self, user: Any, action: Action) -> DeliveryQuerySet:
        """Keep the deliveries of the organizations in which the person may do this."""
        return self.filter(webhook__in=Webhook.objects.allowing(user, action))

    def due(self) -> DeliveryQuerySet:
        """Keep the deliveries that must be sent now."""
        return self.filter(next_try_at__lte=timezone.now(), webhook__disabled_at=None)


class Delivery(models.Model):
    """One message to one webhook. Its key is the ``webhook-id``, the same for every attempt.

    ``event`` is the key of the audit event that caused it; null for a test message.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event = models.UUIDField(null=True)
    type = models.CharField(max_length=40)
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    #: Null once the message was delivered or given up.
    next_try_at = models.DateTimeField(null=True, default=timezone.now)
    last_try_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    #: Why the last attempt failed, in one sentence.
    problem = models.CharField(max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event"], name="one_delivery_an_event")
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(next_try_at__isnull=False),
                name="delivery_to_be_sent",
            ),
            models.Index(fields=["webhook", "-created_at", "-id"], name="delivery_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.type} to {self.webhook}"

    @property
    def message_id(self) -> str:
        """Return the ``webhook-id`` of the message."""
        return f"msg_{self.pk.hex}"
