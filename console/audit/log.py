"""Write down what was done, in the transaction that does it: both stay, or neither.

Order of locks, the same everywhere, each of them left out where it is not needed:

1. the application's row, or the organization's where none is there yet or people are changed;
2. the person's own row, then his membership, then his rights in the application
   (``authority.check_and_lock``; whoever takes his authority away takes the same ones);
3. the other rows that are changed, authorizations among them;
4. the chain, with nothing locked after it. Several chains in one transaction are taken in the
   order of their keys, the deployment's first.

Rows of people and organizations are locked with ``no_key``: every event refers to them, and
would have to wait for who waits for its chain. So nobody who holds a chain ever waits for a
row, and no two wait for each other.
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
    """The event could not be written, so what it tells of must not happen either."""


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
    """Write one event; ``actor`` is nobody where the console acts by itself.

    ``details`` are JSON and never a secret; what is empty is left out. Raise
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
    """Put events at the end of a chain that is locked."""
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
    """Let nobody else write into this chain until the transaction ends, and return its head."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("An event is recorded in the transaction of its change.")
    chains = Chain.objects.select_for_update().filter(pk=key or DEPLOYMENT)
    try:
        chain = chains.first()
        if chain is None:  # the first event; who is as fast waits here and finds the row
            Chain.objects.bulk_create([Chain(pk=key or DEPLOYMENT)], ignore_conflicts=True)
            chain = chains.get()
    except DatabaseError as error:
        raise NotRecorded("The audit log could not be opened.") from error
    return chain


def homes(user: User) -> list[uuid.UUID | None]:
    """Name the chains that tell of a person: his organizations', or else the deployment's."""
    found = user.memberships.active().order_by("organization_id")
    return list(found.values_list("organization_id", flat=True)) or [None]
