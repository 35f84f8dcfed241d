"""Register an address, switch it on again, and take it away."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from console.accounts.models import User
from console.applications.locks import lock_application
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.webhooks.models import Delivery, Webhook
from console.webhooks.signature import new_secret

MOST = 5


class TooManyWebhooks(Exception):
    """The application has as many as it may have; the message says what to do."""


def register(application: Application, url: str, user: User) -> tuple[Webhook, str]:
    """Register an address, and return it with its secret, which is shown this once.

    Raise :class:`TooManyWebhooks`.
    """
    secret = new_secret()
    with transaction.atomic():
        application = lock_application(application)
        organization = application.organization_id
        there = Webhook.objects.filter(application=application, organization=organization)
        if there.count() >= MOST:
            raise TooManyWebhooks(
                f"{application} has {MOST} webhooks, which is the most. Delete one first."
            )
        webhook = Webhook.objects.create(
            organization_id=organization,
            application=application,
            url=url,
            secret=secret,
            created_by=user,
        )
        record(
            AuditAction.WEBHOOK_CREATED, organization, user, webhook, application=application.name
        )
    return webhook, secret


def enable(webhook: Webhook, user: User) -> None:
    """Send to a webhook again, and first of all what has gathered meanwhile."""
    with transaction.atomic():
        row = Webhook.objects.select_for_update().get(pk=webhook.pk)
        if row.disabled_at is None:
            return
        row.disabled_at, row.problem = None, ""
        row.save(update_fields=["disabled_at", "problem"])
        Delivery.objects.filter(webhook=row, delivered_at=None).update(
            next_try_at=timezone.now(), tries=0
        )
        record(
            AuditAction.WEBHOOK_ENABLED,
            row.organization_id,
            user,
            row,
            application=webhook.application.name,
        )


def delete(webhook: Webhook, user: User) -> None:
    """Take an address away, with everything that it has been told."""
    with transaction.atomic():
        row = Webhook.objects.select_for_update().filter(pk=webhook.pk).first()
        if row is None:
            return
        subject = Subject.of(row)
        row.delete()
        record(
            AuditAction.WEBHOOK_DELETED,
            webhook.organization_id,
            user,
            subject,
            application=webhook.application.name,
        )
