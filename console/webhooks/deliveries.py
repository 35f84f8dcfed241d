"""Deliver messages to webhooks at least once, with retries."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_tasks import task

from connectors.errors import ServiceError
from connectors.http import http_client
from console import mail
from console.accounts.contacts import contacts_for
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record
from console.encryption.fernet_keys import SecretUnreadable
from console.public_url import public_url
from console.webhooks.models import Delivery, Webhook
from console.webhooks.payloads import compose
from console.webhooks.signature import headers

logger = logging.getLogger(__name__)

#: How long to wait after each attempt. After 8 attempts in 46 hours the webhook is disabled.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 300, 840, 1440))
#: How long a claim lasts. After that, another process may send the message again.
SENDING = timedelta(minutes=5)
#: The results of :func:`deliver`.
SENT, FAILED, TAKEN, HANDED_ON = "sent", "failed", "sent by another process", "handed to workers"


def deliver_due(goes_on: Callable[[], bool]) -> Counter[str]:
    """Send all messages that are due, and count the results.

    After a failure, the other messages of the webhook wait for the next round, so that it does not
    delay other webhooks.
    """
    compose()
    results: Counter[str] = Counter()
    failed = set()
    due = Delivery.objects.due().order_by("webhook", "created_at", "pk")
    for key, webhook in due.values_list("pk", "webhook").iterator(chunk_size=500):
        if not goes_on():
            break
        if webhook in failed:
            continue
        result = deliver.enqueue(str(key))
        outcome = str(result.return_value) if result.is_finished else HANDED_ON
        results[outcome] += 1
        if outcome == FAILED:
            failed.add(webhook)
    return results


@task()
def deliver(pk: str) -> str:
    """Send one message if it is due and not claimed by another process; return the result."""
    now = timezone.now()
    if not Delivery.objects.due().filter(pk=pk).exists():
        return TAKEN
    # Without a join, PostgreSQL evaluates the condition again after it has waited for a row
    # lock; with a joined subquery it does not, and two processes could claim the same row.
    row = Delivery.objects.filter(pk=pk, next_try_at__lte=now)
    if not row.update(next_try_at=now + SENDING, last_try_at=now, tries=F("tries") + 1):
        return TAKEN
    delivery = Delivery.objects.select_related("webhook__application").get(pk=pk)
    problem = _send(delivery)
    if problem:
        fail(delivery, problem)
        return FAILED
    Delivery.objects.filter(pk=pk).update(delivered_at=timezone.now(), next_try_at=None, problem="")
    return SENT


def send_again(delivery: Delivery) -> bool:
    """Send a message now, even if it was delivered before; return whether it was delivered."""
    Delivery.objects.filter(pk=delivery.pk).update(
        next_try_at=timezone.now(), delivered_at=None, tries=0
    )
    result = deliver.enqueue(str(delivery.pk))
    return bool(result.is_finished and result.return_value == SENT)


def fail(delivery: Delivery, problem: str) -> None:
    """Store the problem and schedule the next attempt; after the last one, disable the webhook."""
    wait = WAITS[delivery.tries - 1] if delivery.tries <= len(WAITS) else None
    with transaction.atomic():
        Delivery.objects.filter(pk=delivery.pk).update(
            problem=problem[:300], next_try_at=timezone.now() + wait if wait else None
        )
        was_disabled = wait is None and _disable(delivery.webhook, problem)
    if was_disabled:
        _mail(delivery.webhook, problem)


def delete_old_deliveries(age: timedelta) -> int:
    """Delete the messages older than ``age`` and return how many were deleted."""
    return Delivery.objects.filter(created_at__lt=timezone.now() - age).delete()[0]


def _send(delivery: Delivery) -> str:
    """Send the message; return the problem as a sentence, or an empty string."""
    webhook, body = delivery.webhook, delivery.body.encode()
    try:
        signed = headers(
            webhook.secret.reveal(), webhook_id=delivery.message_id, at=timezone.now(), body=body
        )
        answer = http_client.send(
            "POST",
            webhook.url,
            service=webhook.host,
            headers={"Content-Type": "application/json", **signed},
            data=body,
        )
    except SecretUnreadable:
        return "The signing secret cannot be read. Delete the webhook and register it again."
    except ServiceError as error:
        return str(error)
    if 200 <= answer.status < 300:
        return ""
    return f"{webhook.host} answered with status {answer.status}."


def _disable(webhook: Webhook, problem: str) -> bool:
    """Disable a webhook; return whether it was enabled before."""
    row = Webhook.objects.select_for_update().filter(pk=webhook.pk, disabled_at=None).first()
    if row is None:
        return False
    row.disabled_at, row.problem = timezone.now(), problem[:300]
    row.save(update_fields=["disabled_at", "problem"])
    record(
        AuditAction.WEBHOOK_DISABLED,
        row.organization_id,
        None,
        row,
        application=webhook.application.name,
        reason=problem,
    )
    return True


def _mail(webhook: Webhook, problem: str) -> None:
    people = contacts_for(webhook.organization_id, webhook.created_by_id, Action.MANAGE_WEBHOOKS)
    context = {
        "webhook": webhook,
        "problem": problem,
        "url": public_url("webhook_list", webhook.application_id),
    }
    try:
        mail.send("webhooks/email/disabled", [person.email for person in people], context)
    except Exception as error:  # the page shows it as well, so the mail is not retried
        logger.warning("Mail about a webhook could not be sent: %s", type(error).__name__)
