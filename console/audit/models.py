"""Audit events, which never change, and the head of each chain of events.

The keys of organizations and people have no constraint in the database. An event outlives
both, with the key that its hash was made of; a key that goes to NULL would change the row.
"""

from __future__ import annotations

import uuid
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.audit.actions import BUILT, AuditAction
from console.audit.hash_chain import GENESIS
from console.insert_only import InsertOnlyQuerySet

#: The chain of the deployment itself (the nil UUID, RFC 9562 section 5.9): first of all in order.
DEPLOYMENT = uuid.UUID(int=0)
#: The actor of events that the console causes automatically.
SYSTEM = "system"


class Chain(models.Model):
    """The head of an organization's events. This row is locked to write the next event.

    The key is the organization's own, or :data:`DEPLOYMENT`.
    """

    id = models.UUIDField(primary_key=True)
    number = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default=GENESIS)

    def __str__(self) -> str:
        return f"{self.id}: {self.number}"


class Bookmark(models.Model):
    """How far a reader of the outbox has read a chain (``outbox.py``)."""

    reader = models.CharField(max_length=40)
    chain = models.ForeignKey(Chain, models.CASCADE, related_name="bookmarks")
    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reader", "chain"], name="one_bookmark_a_reader")
        ]

    def __str__(self) -> str:
        return f"{self.reader}: {self.number}"


class EventQuerySet(InsertOnlyQuerySet["Event"]):
    """Events can be created and read, but not changed or deleted."""

    def visible_to(self, user: Any) -> EventQuerySet:
        """Keep the events that the person may read.

        People with ``READ_AUDIT_OF_PEOPLE`` see every event of their organization. Others see
        events about applications and connections. Operators see events of the deployment.
        """
        read = set(user.organizations_allowing(Action.READ_AUDIT))
        whole = set(user.organizations_allowing(Action.READ_AUDIT_OF_PEOPLE))
        seen = Q(organization__in=whole)
        if part := read - whole:
            seen |= Q(organization__in=part, object_type__in=BUILT)
        if user.is_active and user.is_superuser:
            seen |= Q(organization=None)
        return self.filter(seen)


class Event(models.Model):
    """One thing that was done; ``hash`` holds it and all events before it (``hash_chain.py``).

    ``number`` counts 1, 2, 3 … in each organization, and in the deployment itself, where
    ``organization`` is empty. The database refuses to change a row, too.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    number = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    actor_email = models.CharField(max_length=254)
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    object_label = models.CharField(max_length=200)
    details = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]
        base_manager_name = "objects"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "number"], name="event_number_in_organization"
            ),
            models.UniqueConstraint(
                fields=["number"],
                condition=Q(organization=None),
                name="event_number_in_deployment",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-at", "-id"], name="event_newest_first"),
            models.Index(fields=["object_id", "-at"], name="event_of_an_object"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("An event never changes.")
        super().save(*args, **{**kwargs, "force_insert": True})

    def get_absolute_url(self) -> str:
        return reverse("event_detail", args=[self.pk])

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError("An event is never deleted.")

    @property
    def act(self) -> AuditAction | None:
        """Return the action, or None if this version does not know its name."""
        try:
            return AuditAction(self.action)
        except ValueError:
            return None
