"""Tell the one who can mend it, by mail and once, that an authorization has stopped working.

The audit log says what has stopped (``console/audit/outbox.py``). The mail goes to who
authorized it, or else to the organization's super admins.
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
#: A process that sends longer than this is dead, and another one sends again.
SENDING = timedelta(minutes=5)


def tell_people() -> int:
    """Find out who is to be told of what, mail to each person, and return to how many."""
    follow("health", {AuditAction.AUTHORIZATION_ENDED}, _note)
    people = Notice.objects.due().values_list("person", flat=True).distinct().order_by()
    told = list(people)
    for person in told:
        tell.enqueue(str(person))
    return len(told)


@task()
def tell(person: str) -> None:
    """Send a person one mail about all that he has not been told yet."""
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
    except Exception as error:  # a mail server fails in ways of its own, and nobody waits here
        logger.warning("Mail to %s could not be sent: %s", mine[0].person, type(error).__name__)
        for notice in mine:
            later = now + WAITS[notice.tries] if notice.tries < len(WAITS) else None
            Notice.objects.filter(pk=notice.pk).update(next_try_at=later)
    else:
        Notice.objects.filter(pk__in=[notice.pk for notice in mine]).update(told_at=now)


def forget_told(before: timedelta) -> int:
    """Delete the notices that are older than that, and return how many."""
    return Notice.objects.filter(created_at__lt=timezone.now() - before).delete()[0]


def _note(events: Sequence[Event]) -> None:
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
                for person in _menders(event)
            ],
            ignore_conflicts=True,
        )


def _menders(event: Event) -> Iterable[User]:
    """Name who can authorize again: who did it last, or else the super admins."""
    found: dict[str, User] = {}
    for row in _stopped(event):
        action = _action(row)
        people = contacts_for(row.organization_id, row.user_id or row.authorized_by_id, action)
        if row.user_id:  # nobody else can authorize a person's own account
            people = [person for person in people if person.pk == row.user_id]
        found |= {str(person.pk): person for person in people}
    return found.values()


def _claim(notice: Notice) -> bool:
    mine = Notice.objects.due().filter(pk=notice.pk)
    return bool(mine.update(next_try_at=timezone.now() + SENDING, tries=F("tries") + 1))


def _stopped(event: Event) -> QuerySet[Authorization]:
    """Return what has stopped and does not work yet."""
    return Authorization.objects.filter(
        connection=uuid.UUID(event.object_id),
        organization=event.organization_id,
        environment__in=event.details.get("environments", []),
        state__in=STOPPED,
    )


def _action(row: Authorization) -> Action:
    """Name what somebody must be allowed to authorize it again."""
    if row.environment != Environment.PRODUCTION:
        return Action.MANAGE_CONNECTIONS
    return Action.USE_INSTALLED if row.user_id else Action.AUTHORIZE_INSTALLED


def _line(notice: Notice, event: Event) -> dict[str, Any]:
    """Name a connection as its organization has it, and the page that mends it."""
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
