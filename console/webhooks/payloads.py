"""Create webhook messages from audit events; the audit log is the outbox.

An event is written in the transaction of its change, so a crash cannot lose a message.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from connections.models import Connection
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.audit.outbox import follow
from console.choices import Environment
from console.webhooks.models import Delivery, Webhook

TYPES: Mapping[AuditAction, str] = {
    AuditAction.AUTHORIZATION_GIVEN: "authorization.created",
    AuditAction.AUTHORIZATION_REUSED: "authorization.created",
    AuditAction.AUTHORIZATION_ENDED: "authorization.stopped",
    AuditAction.AUTHORIZATION_RECOVERED: "authorization.recovered",
    AuditAction.AUTHORIZATION_REPLACED: "authorization.recovered",
    AuditAction.AUTHORIZATION_REVOKED: "authorization.revoked",
    AuditAction.CONNECTION_DISABLED: "connection.disabled",
    AuditAction.CONNECTION_ENABLED: "connection.enabled",
}
#: These concern the connection in all environments, whatever its authorizations.
_FOR_CONNECTION = {AuditAction.CONNECTION_DISABLED, AuditAction.CONNECTION_ENABLED}
TEST = "webhook.test"


def compose() -> None:
    """Create the messages for all audit events since the last call."""
    follow("webhooks", TYPES.keys(), _write)


def test_message(webhook: Webhook) -> Delivery:
    """Return an unsaved test message."""
    return _delivery(
        webhook,
        None,
        TEST,
        at=timezone.now(),
        subject=webhook.application.link_name,
        data={"application": webhook.application.link_name},
    )


def _write(events: Sequence[Event]) -> None:
    keys = {event.object_id for event in events}
    connections = {
        str(connection.pk): connection
        for connection in Connection.objects.filter(pk__in=keys).select_related("application")
    }
    webhooks: dict[tuple[uuid.UUID, Any], list[Webhook]] = {}
    applications = {connection.application_id for connection in connections.values()}
    for webhook in Webhook.objects.filter(application__in=applications).defer("secret"):
        key = webhook.application_id, webhook.organization_id
        webhooks.setdefault(key, []).append(webhook)
    Delivery.objects.bulk_create(
        [
            _delivery(
                webhook,
                event,
                TYPES[AuditAction(event.action)],
                at=event.at,
                subject=connection.link_name,
                data=_data(event, connection, connection.application),
            )
            for event in events
            if (connection := connections.get(event.object_id))
            for webhook in webhooks.get((connection.application_id, event.organization_id), ())
            if webhook.created_at <= event.at
        ],
        ignore_conflicts=True,
    )


def _data(event: Event, connection: Connection, application: Application) -> dict[str, Any]:
    environments: list[str] = event.details.get("environments", [])
    if Environment.ALL in environments:
        environments = [Environment.DEVELOPMENT.value, Environment.STAGE.value]
    is_for_connection = event.action in _FOR_CONNECTION
    if is_for_connection:
        environments = [each.value for each in Environment if each != Environment.ALL]
    data = {
        "application": application.link_name,
        "connection": {
            "id": str(connection.pk),
            "link_name": connection.link_name,
            "name": connection.name,
            "connector": connection.connector_slug,
            "level": connection.level,
        },
        "environments": environments,
    }
    if not is_for_connection:
        data["account"] = event.details.get("account", "")
    if reason := event.details.get("reason"):
        data["reason"] = reason
    if code := event.details.get("reason_code"):
        data["reason_code"] = code
    return data


def _delivery(
    webhook: Webhook,
    event: Event | None,
    type_: str,
    *,
    at: datetime,
    subject: str,
    data: Mapping[str, Any],
) -> Delivery:
    """Return an unsaved delivery whose body is a CloudEvents 1.0 event in JSON."""
    delivery = Delivery(webhook=webhook, event=event.pk if event else None, type=type_)
    message = {
        "specversion": "1.0",
        "id": delivery.message_id,
        "type": type_,
        "source": settings.PUBLIC_URL,
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }
    delivery.body = json.dumps(message, ensure_ascii=False)
    return delivery
