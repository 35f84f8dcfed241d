"""Notify people by mail that an authorization has stopped working.

The audit log is the source of the notices (``console/audit/outbox.py``). The mail goes to the
person who authorized the connection, or if they cannot fix it, to the organization's super
admins.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django_tasks import task

from connections.models import Authorization, Connection, InstalledConnection
from console import mail
from console.accounts.contacts import contacts_for
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.models import Event
from console.audit.outbox import follow
from console.choices import Environment
from console.health.models import WAITS, Notice
from console.public_url import public_url

logger = logging.getLogger(__name__)

STOPPED = (Authorization.State.NEEDS_AUTHORIZATION, Authorization.State.UNKNOWN_OUTCOME)
#: How long a claim lasts. After that, another process may send the notice again.
SENDING = timedelta(minutes=5)


def send_notices() -> int:
    """Create notices from new audit events, send those due, and return to how many people."""
    follow("health", {AuditAction.AUTHORIZATION_ENDED}, _create_notices)
    people = list(Notice.objects.due().values_list("person", flat=True).distinct().order_by())
    for person in people:
        notify.enqueue(str(person))
    return len(people)


@task()
def notify(person: str) -> None:
    """Send a person one mail with all their notices that are due."""
    notices = list(
        Notice.objects.due()
        .filter(person_id=uuid.UUID(person))
        .select_related("connection", "person")
    )
    mine = [notice for notice in notices if _claim(notice)]
    if not mine:
        return
    now = timezone.now()
    events = Event.objects.in_bulk([notice.event for notice in mine])
    stopped = [
        (notice, event)
        for notice in mine
        if (event := events.get(notice.event)) and _stopped(event).exists()
    ]
    try:
        if stopped:
            _mail(mine[0].person, stopped)
    except Exception as error:  # mail backends raise many kinds of errors; it is tried again
        logger.warning("Mail to %s could not be sent: %s", mine[0].person, type(error).__name__)
        for notice in mine:
            later = now + WAITS[notice.tries] if notice.tries < len(WAITS) else None
            Notice.objects.filter(pk=notice.pk).update(next_try_at=later)
    else:
        Notice.objects.filter(pk__in=[notice.pk for notice in mine]).update(sent_at=now)


def delete_old_notices(age: timedelta) -> int:
    """Delete the notices older than ``age`` and return how many were deleted."""
    return Notice.objects.filter(created_at__lt=timezone.now() - age).delete()[0]


def _create_notices(events: Sequence[Event]) -> None:
    for event in events:
        connection = Connection.objects.filter(pk=event.object_id).first()
        if connection is None:
            continue
        Notice.objects.bulk_create(
            [
                Notice(
                    event=event.pk,
                    person=person,
                    connection=connection,
                    account=event.details.get("account", ""),
                    reason=event.details.get("reason", ""),
                )
                for person in _recipients(event)
            ],
            ignore_conflicts=True,
        )


def _recipients(event: Event) -> Iterable[User]:
    """Return the people who can reauthorize: who did it last, or else the super admins."""
    found: dict[str, User] = {}
    for row in _stopped(event):
        action = _action(row)
        people = contacts_for(row.organization_id, row.user_id or row.authorized_by_id, action)
        if row.user_id:  # only that person can authorize their own account
            people = [person for person in people if person.pk == row.user_id]
        found |= {str(person.pk): person for person in people}
    return found.values()


def _claim(notice: Notice) -> bool:
    mine = Notice.objects.due().filter(pk=notice.pk)
    return bool(mine.update(next_try_at=timezone.now() + SENDING, tries=F("tries") + 1))


def _stopped(event: Event) -> QuerySet[Authorization]:
    """Return the authorizations of this event that still do not work."""
    return Authorization.objects.filter(
        connection=uuid.UUID(event.object_id),
        organization=event.organization_id,
        environment__in=event.details.get("environments", []),
        state__in=STOPPED,
    )


def _action(row: Authorization) -> Action:
    """Return the action that a person must be allowed to do to reauthorize this."""
    if row.environment != Environment.PRODUCTION:
        return Action.MANAGE_CONNECTIONS
    return Action.USE_INSTALLED if row.user_id else Action.AUTHORIZE_INSTALLED


def _line(notice: Notice, event: Event) -> dict[str, Any]:
    """Return the name of a connection in its organization, and the URL where it can be fixed."""
    line = {"notice": notice, "service": notice.connection.connector.name}
    installed = InstalledConnection.objects.filter(
        connection=notice.connection_id, organization=event.organization_id
    ).first()
    if installed and Environment.PRODUCTION in event.details.get("environments", []):
        url = public_url("installed_connection", installed.pk)
        return line | {"name": str(installed), "url": url}
    url = public_url("connection_detail", notice.connection_id)
    return line | {"name": str(notice.connection), "url": url}


def _mail(person: User, stopped: Sequence[tuple[Notice, Event]]) -> None:
    lines = [_line(notice, event) for notice, event in stopped]
    context = {"lines": lines, "health_url": public_url("health_list")}
    mail.send("health/email/stopped", [person.email], context)
