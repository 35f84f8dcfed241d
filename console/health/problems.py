"""What needs a person, and in which order: the one place that says so.

It is an authorization that has stopped, one whose stored secret does not open, one whose OAuth
client is refused so that nothing renews it, one that ends soon with nothing to renew it, or one
whose last test has failed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, InstalledConnection
from connections.models.credential import EXPIRING_WITHIN
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.health.notices import STOPPED
from console.health.unreadable_secrets import unreadable_credentials

#: The page is a list of things to do, not an archive; the pane says "99+" beyond it.
MOST = 100


class HealthProblemKind(StrEnum):
    """Why a person is needed; in the order of what breaks first."""

    STOPPED = "stopped"
    UNREADABLE = "unreadable"
    UNRENEWED = "unrenewed"
    ENDING = "ending"
    FAILING = "failing"


WORDS = {
    HealthProblemKind.STOPPED: "Stopped working",
    HealthProblemKind.UNREADABLE: "Secret cannot be read",
    HealthProblemKind.UNRENEWED: "Not renewed",
    HealthProblemKind.ENDING: "Ends soon",
    HealthProblemKind.FAILING: "Last test failed",
}


@dataclass(frozen=True, kw_only=True)
class HealthProblem:
    """One authorization that needs a person, and the sentence why.

    ``installed`` is the connection as a client has it, in Production.
    """

    authorization: Authorization
    kind: HealthProblemKind
    why: str
    installed: InstalledConnection | None = None

    @property
    def name(self) -> str:
        return str(self.installed or self.authorization.connection)

    @property
    def url(self) -> str:
        """Return the page about the connection."""
        if self.installed:
            return reverse("installed_connection", args=[self.installed.pk])
        return self.authorization.connection.get_absolute_url()

    @property
    def mend_url(self) -> str:
        """Return where it is authorized again."""
        if self.installed:
            return reverse("installed_authorize", args=[self.installed.pk])
        place = reverse("connection_authorize", args=[self.authorization.connection_id])
        return f"{place}?environment={self.authorization.environment}"

    @property
    def test_url(self) -> str:
        if self.installed:
            return reverse("installed_test", args=[self.installed.pk])
        return reverse("authorization_test", args=[self.authorization.pk])


@dataclass(frozen=True, kw_only=True)
class Homes:
    """The organizations in which somebody can authorize again what has stopped, by their keys.

    He manages ``connections`` there at home; where applications are installed he authorizes
    for everybody (``shared``) and, wherever he belongs (``own``), for himself.
    """

    connections: Collection[uuid.UUID]
    shared: Collection[uuid.UUID]
    own: Collection[uuid.UUID]

    @classmethod
    def where(cls, allows: Callable[[Action], Collection[uuid.UUID]]) -> Homes:
        """Ask where each of the actions is allowed."""
        return cls(
            connections=allows(Action.MANAGE_CONNECTIONS),
            shared=allows(Action.AUTHORIZE_INSTALLED),
            own=allows(Action.USE_INSTALLED),
        )


def homes(user: Any) -> Homes:
    """Name the organizations in which this person can authorize again what has stopped."""

    def allowing(action: Action) -> list[uuid.UUID]:
        organizations = Organization.objects.allowing(user, action)
        return list(organizations.values_list("pk", flat=True))

    return Homes.where(allowing)


def may_mend(user: Any, homes: Homes) -> QuerySet[Authorization]:
    """Return what a person can authorize again in his :func:`homes`: the shared, and his own.

    Nobody mends what is installed after the end of its license.
    """
    mine = Authorization.objects.filter(Q(user=None) | Q(user=user), organization__in=homes.own)
    production = Q(environment=Environment.PRODUCTION)
    at_home = Q(organization__in=homes.connections) & ~production
    at_client = (Q(organization__in=homes.shared) | Q(user=user)) & production
    installed = InstalledConnection.objects.live().filter(
        connection=OuterRef("connection"), organization=OuterRef("organization")
    )
    return mine.filter(at_home | (at_client & Exists(installed)))


def count_stopped(user: Any, homes: Homes) -> int:
    """Count what has stopped working there, up to :data:`MOST`."""
    return may_mend(user, homes).filter(state__in=STOPPED)[:MOST].count()


def needs(
    user: Any, kind: HealthProblemKind | None = None, application: Application | None = None
) -> list[HealthProblem]:
    """List what needs this person, what breaks first on top, up to :data:`MOST`.

    ``kind`` and ``application`` narrow it.
    """
    mine = may_mend(user, homes(user)).select_related("connection__application", "credential")
    mine = mine.defer("credential__secret", "credential__journal")
    if application:
        mine = mine.filter(connection__application=application)
    found: dict[uuid.UUID, HealthProblem] = {}
    for name, which, order in _parts():
        if kind in (None, name) and which:
            for row in mine.filter(which).order_by(*order, "pk")[: MOST - len(found)]:
                found.setdefault(row.pk, _need(row, name))
    return _where_installed(found.values())


def _where_installed(needs: Iterable[HealthProblem]) -> list[HealthProblem]:
    """Name each connection of a client as he has it; one query for all of them."""
    needs = list(needs)
    production = {
        (need.authorization.connection_id, need.authorization.organization_id)
        for need in needs
        if need.authorization.environment == Environment.PRODUCTION
    }
    if not production:
        return needs
    rows = InstalledConnection.objects.filter(
        connection__in=[connection for connection, _ in production],
        organization__in=[organization for _, organization in production],
    )
    known = {(row.connection_id, row.organization_id): row for row in rows}
    return [
        replace(need, installed=known.get((row.connection_id, row.organization_id)))
        if (row := need.authorization).environment == Environment.PRODUCTION
        else need
        for need in needs
    ]


def _parts() -> list[tuple[HealthProblemKind, Q, tuple[str, ...]]]:
    """Return each kind with its condition and order; every one of them has an index.

    An empty condition: there is nothing of it.
    """
    now = timezone.now()
    active = Q(state=Authorization.State.ACTIVE)
    home = Q(credential__organization=F("organization"))
    failing = Q(credential__check_problem__gt="")
    damaged = unreadable_credentials(MOST)
    unreadable = active & Q(credential__in=damaged) if damaged else Q()
    soon = Q(credential__ends_at__lte=now + EXPIRING_WITHIN)
    extended = Q(credential__is_extended=True)
    ended = Q(credential__ends_at__lte=now) & ~extended
    # What a renewal extends is renewed before half of its life is over (``renewal.py``).
    overdue = Q(credential__obtained_at__lt=now - (F("credential__ends_at") - now))
    ending = soon & ((extended & overdue) | (~extended & Q(credential__ends_at__gt=now)))
    unrenewed = Q(credential__client_refused=True)
    return [
        (HealthProblemKind.STOPPED, Q(state__in=STOPPED), ("-changed_at",)),
        (HealthProblemKind.STOPPED, active & home & ended, ("-credential__ends_at",)),
        (HealthProblemKind.UNREADABLE, unreadable, ("-changed_at",)),
        (HealthProblemKind.UNRENEWED, active & home & unrenewed, ("-credential__obtained_at",)),
        (HealthProblemKind.ENDING, active & home & ending, ("credential__ends_at",)),
        (HealthProblemKind.FAILING, active & home & failing, ("-credential__checked_at",)),
    ]


def _need(row: Authorization, kind: HealthProblemKind) -> HealthProblem:
    service = row.connection.connector.name
    credential = row.credential
    if kind is HealthProblemKind.FAILING:
        why = credential.check_problem if credential else ""
    elif kind is HealthProblemKind.UNRENEWED:
        why = credential.renewal_problem if credential else ""
    elif kind is HealthProblemKind.ENDING:
        why = f"{service} gave nothing to renew the access with for longer."
    elif kind is HealthProblemKind.UNREADABLE:
        why = (
            "Its stored secret does not open, so it cannot act: the value is damaged or its key "
            "is gone. Authorize it again, or an operator adds the key that was used."
        )
    elif row.state in STOPPED:
        why = row.reason or "It is no longer authorized."
    else:
        why = f"The access to {service} has ended."
    return HealthProblem(authorization=row, kind=kind, why=why)
