"""Problems that a person must fix, ordered by urgency.

An authorization has a problem if it has stopped, its stored secret cannot be decrypted, the
service rejects its OAuth client so that it cannot be refreshed, it ends soon and cannot be
renewed, or its last test failed.
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

#: The page is a to-do list, not an archive. Above 99, the navigation shows "99+".
MOST = 100


class HealthProblemKind(StrEnum):
    """Kinds of problems, the most urgent first."""

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
    """One authorization with a problem, and the reason as a sentence.

    ``installed`` is the client's installed connection, in Production.
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
        """Return the URL of the connection's page."""
        if self.installed:
            return reverse("installed_connection", args=[self.installed.pk])
        return self.authorization.connection.get_absolute_url()

    @property
    def reauthorize_url(self) -> str:
        """Return the URL of the page that reauthorizes the connection."""
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
class FixableOrganizations:
    """Keys of the organizations in which a person can reauthorize connections, by kind.

    In ``connections`` they can authorize for Development and Stage. Of installed applications,
    they can authorize shared connections in ``shared`` and their own accounts in ``own``.
    """

    connections: Collection[uuid.UUID]
    shared: Collection[uuid.UUID]
    own: Collection[uuid.UUID]

    @classmethod
    def where(cls, allows: Callable[[Action], Collection[uuid.UUID]]) -> FixableOrganizations:
        """Collect the organizations with a function that returns them for an action."""
        return cls(
            connections=allows(Action.MANAGE_CONNECTIONS),
            shared=allows(Action.AUTHORIZE_INSTALLED),
            own=allows(Action.USE_INSTALLED),
        )


def fixable_organizations(user: Any) -> FixableOrganizations:
    """Return the organizations in which this person can reauthorize connections."""

    def allowing(action: Action) -> list[uuid.UUID]:
        organizations = Organization.objects.allowing(user, action)
        return list(organizations.values_list("pk", flat=True))

    return FixableOrganizations.where(allowing)


def fixable_by(user: Any, fixable: FixableOrganizations) -> QuerySet[Authorization]:
    """Return the authorizations that a person can reauthorize: shared ones and their own.

    Installed connections cannot be reauthorized after the end of their license.
    """
    mine = Authorization.objects.filter(Q(user=None) | Q(user=user), organization__in=fixable.own)
    production = Q(environment=Environment.PRODUCTION)
    at_home = Q(organization__in=fixable.connections) & ~production
    at_client = (Q(organization__in=fixable.shared) | Q(user=user)) & production
    installed = InstalledConnection.objects.live().filter(
        connection=OuterRef("connection"), organization=OuterRef("organization")
    )
    return mine.filter(at_home | (at_client & Exists(installed)))


def count_stopped(user: Any, fixable: FixableOrganizations) -> int:
    """Count the authorizations that have stopped and that this person can fix, up to ``MOST``."""
    return fixable_by(user, fixable).filter(state__in=STOPPED)[:MOST].count()


def problems_for(
    user: Any, kind: HealthProblemKind | None = None, application: Application | None = None
) -> list[HealthProblem]:
    """List the problems that this person can fix, the most urgent first, up to :data:`MOST`.

    ``kind`` and ``application`` filter the list.
    """
    mine = fixable_by(user, fixable_organizations(user))
    mine = mine.select_related("connection__application", "credential")
    mine = mine.defer("credential__secret", "credential__journal")
    if application:
        mine = mine.filter(connection__application=application)
    found: dict[uuid.UUID, HealthProblem] = {}
    for each_kind, condition, order in _queries():
        if kind in (None, each_kind) and condition:
            for row in mine.filter(condition).order_by(*order, "pk")[: MOST - len(found)]:
                found.setdefault(row.pk, _problem(row, each_kind))
    return _with_installed(found.values())


def _with_installed(found: Iterable[HealthProblem]) -> list[HealthProblem]:
    """Add the installed connection to each problem of a client, in one query."""
    problems = list(found)
    production = {
        (problem.authorization.connection_id, problem.authorization.organization_id)
        for problem in problems
        if problem.authorization.environment == Environment.PRODUCTION
    }
    if not production:
        return problems
    rows = InstalledConnection.objects.filter(
        connection__in=[connection for connection, _ in production],
        organization__in=[organization for _, organization in production],
    )
    known = {(row.connection_id, row.organization_id): row for row in rows}
    return [
        replace(problem, installed=known.get((row.connection_id, row.organization_id)))
        if (row := problem.authorization).environment == Environment.PRODUCTION
        else problem
        for problem in problems
    ]


def _queries() -> list[tuple[HealthProblemKind, Q, tuple[str, ...]]]:
    """Return each kind with its condition and order; all of them are served by an index.

    An empty condition means that there are no such problems.
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
    # Credentials that can be extended are renewed before half of their lifetime (``renewal.py``).
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


def _problem(row: Authorization, kind: HealthProblemKind) -> HealthProblem:
    service = row.connection.connector.name
    credential = row.credential
    if kind is HealthProblemKind.FAILING:
        why = credential.check_problem if credential else ""
    elif kind is HealthProblemKind.UNRENEWED:
        why = credential.renewal_problem if credential else ""
    elif kind is HealthProblemKind.ENDING:
        why = f"{service} provided no way to renew the access."
    elif kind is HealthProblemKind.UNREADABLE:
        why = (
            "Its stored secret cannot be decrypted, so it cannot be used: the value is damaged "
            "or its key was removed. Reauthorize it, or ask an operator to add the key again."
        )
    elif row.state in STOPPED:
        why = row.reason or "It is no longer authorized."
    else:
        why = f"The access to {service} has ended."
    return HealthProblem(authorization=row, kind=kind, why=why)
