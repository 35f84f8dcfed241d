"""Record events in the transaction of the change: both are committed, or neither.

Every transaction takes its locks in this order, and skips those that it does not need:

1. the row of the application, or of the organization when there is no application yet or
   when people change;
2. the row of the person who acts, then their membership, then their rights in the application
   (``authority.check_and_lock``; code that removes their authority takes the same locks);
3. the other rows that change, such as authorizations;
4. the chain, last of all. Several chains are locked in the order of their keys, the
   deployment's first.

Rows of people and organizations are locked with ``no_key``, because every event refers to them
and would otherwise wait for these locks. A transaction that holds a chain therefore never waits
for a row, and deadlocks cannot happen.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, models, transaction
from django.utils import timezone

from console.accounts.models import Organization, User
from console.audit.actions import AuditAction
from console.audit.hash_chain import hash_of
from console.audit.models import DEPLOYMENT, SYSTEM, Chain, Event

#: An organization, its key, or nothing for the deployment itself.
Home = Organization | uuid.UUID | None


class NotRecorded(Exception):
    """The event could not be written, so the change must not happen either."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What something was done to: a row by its type, key and name, which outlive it."""

    type: str
    id: str
    label: str

    @classmethod
    def of(cls, row: models.Model) -> Subject:
        """Name a row; "OAuth client" becomes ``oauth_client``."""
        name = str(row._meta.verbose_name).lower().replace(" ", "_")
        return cls(type=name, id=str(row.pk), label=str(row)[:200])


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One event to be, before it has a number."""

    action: AuditAction
    subject: Subject
    details: Mapping[str, Any] = field(default_factory=dict)


def record(
    action: AuditAction,
    organization: Home,
    actor: User | None,
    obj: models.Model | Subject,
    /,
    **details: Any,
) -> None:
    """Write one event; ``actor`` is None when the console acts automatically.

    ``details`` are JSON and never hold a secret; empty values are left out. Raise
    :class:`NotRecorded` where the event cannot be written, and ``RuntimeError`` outside of a
    transaction. Call it last in the transaction (see the order of locks above).
    """
    subject = obj if isinstance(obj, Subject) else Subject.of(obj)
    record_all(organization, actor, [AuditEntry(action=action, subject=subject, details=details)])


def record_all(organization: Home, actor: User | None, happenings: Iterable[AuditEntry]) -> None:
    """Write several events of one organization at once: as many queries as for one."""
    if happenings := list(happenings):
        key = organization.pk if isinstance(organization, Organization) else organization
        write(lock(key), actor, happenings)


def record_in_each(
    happenings: Mapping[uuid.UUID, Iterable[AuditEntry]], actor: User | None
) -> None:
    """Write the events of several organizations, by key, in the order in which chains lock."""
    for key in sorted(happenings):
        record_all(key, actor, happenings[key])


def write(chain: Chain, actor: User | None, happenings: Iterable[AuditEntry]) -> None:
    """Append events to a locked chain."""
    events = []
    for happening in happenings:
        event = Event(
            organization_id=None if chain.pk == DEPLOYMENT else chain.pk,
            number=chain.number + 1,
            at=timezone.now(),
            actor=actor,
            actor_email=actor.email if actor else SYSTEM,
            action=happening.action,
            object_type=happening.subject.type,
            object_id=happening.subject.id,
            object_label=happening.subject.label,
            details={
                name: value
                for name, value in happening.details.items()
                if value not in (None, "", [], {}, ())
            },
            previous_hash=chain.hash,
        )
        event.hash = hash_of(event)
        chain.number, chain.hash = event.number, event.hash
        events.append(event)
    try:
        Event.objects.bulk_create(events)
        chain.save(update_fields=["number", "hash"])
    except DatabaseError as error:
        raise NotRecorded(f"{events[0].action} could not be recorded.") from error


def lock(key: uuid.UUID | None) -> Chain:
    """Lock a chain until the transaction ends, and return its head."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An event is recorded in the transaction of its change.")
    chains = Chain.objects.select_for_update().filter(pk=key or DEPLOYMENT)
    try:
        chain = chains.first()
        if chain is None:  # the first event; a concurrent transaction waits here and finds the row
            Chain.objects.bulk_create([Chain(pk=key or DEPLOYMENT)], ignore_conflicts=True)
            chain = chains.get()
    except DatabaseError as error:
        raise NotRecorded("The audit log could not be opened.") from error
    return chain


def homes(user: User) -> list[uuid.UUID | None]:
    """Return the chains that record events about a person: those of their organizations, or
    else the chain of the deployment.
    """
    found = user.memberships.active().order_by("organization_id")
    return list(found.values_list("organization_id", flat=True)) or [None]
