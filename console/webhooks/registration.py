"""Register, enable and delete webhooks."""

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

MAX_WEBHOOKS = 5


class TooManyWebhooks(Exception):
    """The application has reached the limit; the message says what to do."""


def register(application: Application, url: str, user: User) -> tuple[Webhook, str]:
    """Create a webhook; return it with its signing secret, which is shown only once.

    Raise :class:`TooManyWebhooks` if the application has reached the limit.
    """
    secret = new_secret()
    with transaction.atomic():
        application = lock_application(application)
        organization = application.organization_id
        existing = Webhook.objects.filter(application=application, organization=organization)
        if existing.count() >= MAX_WEBHOOKS:
            raise TooManyWebhooks(
                f"{application} already has {MAX_WEBHOOKS} webhooks, the maximum. Delete one first."
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
    """Enable a webhook again, and make its undelivered messages due now."""
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
    """Delete a webhook and its messages."""
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
