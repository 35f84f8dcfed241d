"""What needs a person, and in which order: the one place that says so.

It is an authorization that has stopped, one that ends soon with nothing to renew it, or one
whose last test has failed.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from connections.models import Authorization
from connections.models.authorization import EXPIRING_WITHIN
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.health.telling import STOPPED

#: The page is a list of things to do, not an archive; the pane says "99+" beyond it.
MOST = 100


class Kind(StrEnum):
    """Why a person is needed; in the order of what breaks first."""

    STOPPED = "stopped"
    ENDING = "ending"
    FAILING = "failing"


WORDS = {
    Kind.STOPPED: "Stopped working",
    Kind.ENDING: "Ends soon",
    Kind.FAILING: "Last test failed",
}


@dataclass(frozen=True, kw_only=True)
class Need:
    """One authorization that needs a person, and the sentence why."""

    authorization: Authorization
    kind: Kind
    why: str


def homes(user: Any) -> list[uuid.UUID]:
    """Name the organisations in which this person can authorize again what has stopped.

    Whoever manages connections can.
    """
    organizations = Organization.objects.allowing(user, Action.MANAGE_CONNECTIONS)
    return list(organizations.values_list("pk", flat=True))


def may_mend(user: Any, organizations: Collection[uuid.UUID]) -> QuerySet[Authorization]:
    """Return what a person can authorize again in his :func:`homes`: the shared, and his own."""
    return Authorization.objects.filter(Q(user=None) | Q(user=user), organization__in=organizations)


def count_stopped(user: Any, organizations: Collection[uuid.UUID]) -> int:
    """Count what has stopped working there, up to :data:`MOST`."""
    return may_mend(user, organizations).filter(state__in=STOPPED)[:MOST].count()


def needs(
    user: Any, kind: Kind | None = None, application: Application | None = None
) -> list[Need]:
    """List what needs this person, what breaks first on top, up to :data:`MOST`.

    ``kind`` and ``application`` narrow it.
    """
    mine = may_mend(user, homes(user)).select_related("connection__application", "credential")
    mine = mine.defer("credential__secret", "credential__journal")
    if application:
        mine = mine.filter(connection__application=application)
    found: dict[uuid.UUID, Need] = {}
    for name, which, order in _parts():
        if kind in (None, name):
            for row in mine.filter(which).order_by(*order, "pk")[: MOST - len(found)]:
                found.setdefault(row.pk, _need(row, name))
    return list(found.values())


def _parts() -> list[tuple[Kind, Q, tuple[str, ...]]]:
    """Return each kind with its condition and order; every one of them has an index."""
    now = timezone.now()
    active = Q(state=Authorization.State.ACTIVE)
    home = Q(credential__organization=F("organization"))
    failing = Q(credential__check_problem__gt="")
    ended = Q(credential__ends_at__lte=now)
    ending = Q(
        credential__ends_at__gt=now,
        credential__ends_at__lt=now + EXPIRING_WITHIN,
        # What can be renewed is, before half of its life is over (``keeping_alive.py``).
        credential__obtained_at__lt=now - (F("credential__ends_at") - now),
    )
    return [
        (Kind.STOPPED, Q(state__in=STOPPED), ("-changed_at",)),
        (Kind.STOPPED, active & home & ended, ("-credential__ends_at",)),
        (Kind.ENDING, active & home & ending, ("credential__ends_at",)),
        (Kind.FAILING, active & home & failing, ("-credential__checked_at",)),
    ]


def _need(row: Authorization, kind: Kind) -> Need:
    service = row.connection.connector.name
    if kind is Kind.FAILING:
        why = row.credential.check_problem
    elif kind is Kind.ENDING:
        why = f"{service} gave nothing to renew the access with for longer."
    elif row.state in STOPPED:
        why = row.reason or "It is not authorized any more."
    else:
        why = f"The access to {service} has ended."
    return Need(authorization=row, kind=kind, why=why)
