"""Problems that a person must fix, ordered by urgency.

An authorization has a problem if it has stopped, its stored secret cannot be decrypted, its
service has granted less than the connection needs, it ends soon and cannot be renewed, the service
rejects its OAuth client so that it cannot be refreshed, or its last test failed. Disabled
connections are listed once, as that.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Credential, InstalledConnection
from connections.models.credential import EXPIRING_WITHIN
from connections.models.state_badge import STATES
from connections.models.state_conditions import (
    ended,
    ending,
    missing_permissions,
)
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.health.notices import STOPPED
from console.health.unreadable_secrets import unreadable_credentials

#: The page is a to-do list, not an archive. Above 99, the navigation shows "99+".
MOST = 100


class HealthProblemKind(StrEnum):
    """Kinds of problems, the most urgent first."""

    STOPPED = "needs_authorization"
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNREADABLE = "unreadable"
    DISABLED = "disabled"
    PERMISSIONS_MISSING = "permissions_missing"
    ENDING = "expiring"
    UNRENEWED = "unrenewed"
    FAILING = "failing"


#: The words of the states, and of problems that an authorization can have in any state.
WORDS = {
    HealthProblemKind.UNREADABLE: "Secret cannot be read",
    HealthProblemKind.UNRENEWED: "Not renewed",
    HealthProblemKind.FAILING: "Last test failed",
    **{kind: STATES[kind].words for kind in HealthProblemKind if kind in STATES},
}
#: The states whose color and icon the other problems have.
_SHOWN_AS = {
    HealthProblemKind.UNREADABLE: "needs_authorization",
    HealthProblemKind.UNRENEWED: "unknown_outcome",
    HealthProblemKind.FAILING: "unknown_outcome",
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
    def badge(self) -> str:
        """Return the name of the state whose color and icon it has."""
        return _SHOWN_AS.get(self.kind, self.kind)

    @property
    def words(self) -> str:
        """Return its text, or ``""`` where the state has one."""
        return WORDS[self.kind] if self.kind in _SHOWN_AS else ""

    @property
    def ends_at(self) -> datetime | None:
        credential = self.authorization.credential
        return credential.ends_at if credential else None

    @property
    def is_stopped(self) -> bool:
        """Tell whether it does not work at all."""
        return self.kind in {HealthProblemKind.STOPPED, HealthProblemKind.UNKNOWN_OUTCOME}

    @property
    def is_fixed_by_test(self) -> bool:
        """Tell whether a test shows if the problem is over; the others need an authorization."""
        return self.kind in {HealthProblemKind.UNRENEWED, HealthProblemKind.FAILING}

    @property
    def is_disabled(self) -> bool:
        return self.kind is HealthProblemKind.DISABLED

    @property
    def test_url(self) -> str:
        if self.installed:
            return reverse("installed_test", args=[self.installed.pk])
        return reverse("authorization_test", args=[self.authorization.pk])


def fixable_by(user: User) -> QuerySet[Authorization]:
    """Return the authorizations that a person can reauthorize: shared ones and their own.

    Installed connections cannot be reauthorized after the end of their license.
    """
    own = user.organizations_allowing(Action.USE_INSTALLED)
    builds = user.organizations_allowing(Action.MANAGE_CONNECTIONS)
    shared = user.organizations_allowing(Action.AUTHORIZE_INSTALLED)
    mine = Authorization.objects.filter(Q(user=None) | Q(user=user), organization__in=own)
    production = Q(environment=Environment.PRODUCTION)
    at_home = Q(organization__in=builds) & ~production
    at_client = (Q(organization__in=shared) | Q(user=user)) & production
    installed = InstalledConnection.objects.live().filter(
        connection=OuterRef("connection"), organization=OuterRef("organization")
    )
    return mine.filter(at_home | (at_client & Exists(installed)))


def urgent_problems(user: User, *, limit: int) -> list[HealthProblem]:
    """List what has stopped or ends soon, the most urgent first, with a few queries."""

    def with_connection(rows: QuerySet[Authorization]) -> QuerySet[Authorization]:
        rows = rows.select_related("connection__application", "credential")
        return rows.defer("credential__secret", "credential__journal")

    mine = fixable_by(user).filter(connection__disabled_at=None)
    kinds = HealthProblemKind
    stopped = mine.filter(state__in=STOPPED).order_by("-changed_at", "pk")[:limit]
    found = [
        (row, kinds.STOPPED if row.state in STOPPED[:1] else kinds.UNKNOWN_OUTCOME)
        for row in with_connection(stopped)
    ]
    if len(found) < limit:
        # An index finds the few credentials that end, and then their authorizations.
        credentials = Credential.objects.filter(
            ended(of="") | ending(of=""),
            organization__in=user.organizations_allowing(Action.USE_INSTALLED),
            ends_at__lte=timezone.now() + EXPIRING_WITHIN,
        )
        first = credentials.order_by("ends_at").values("pk")[: 4 * limit]
        keys = list(Authorization.objects.filter(credential__in=first).values_list("pk", flat=True))
        ends = Authorization.objects.filter(
            Exists(mine.filter(pk=OuterRef("pk"), state=Authorization.State.ACTIVE)), pk__in=keys
        )
        found += [
            (row, kinds.STOPPED if row.credential and row.credential.has_ended else kinds.ENDING)
            for row in with_connection(ends.order_by("credential__ends_at", "pk"))
        ][: limit - len(found)]
    installed = _installed(row for row, _ in found)
    return [
        _problem(row, kind, installed.get((row.connection_id, row.organization_id)))
        for row, kind in found
    ]


def count_stopped(user: User) -> int:
    """Count the authorizations that have stopped and that this person can fix, up to ``MOST``."""
    stopped = fixable_by(user).filter(state__in=STOPPED, connection__disabled_at=None)
    return stopped[:MOST].count()


def problems_for(
    user: User,
    kind: HealthProblemKind | None = None,
    application: Application | None = None,
    *,
    limit: int = MOST,
) -> list[HealthProblem]:
    """List the problems that this person can fix, the most urgent first, up to ``limit``.

    ``kind`` and ``application`` filter the list.
    """
    mine = fixable_by(user)
    rows = mine.select_related("connection__application", "connection__disabled_by", "credential")
    rows = rows.prefetch_related("connection__released")
    rows = rows.defer("credential__secret", "credential__journal")
    if application:
        rows = rows.filter(connection__application=application)
    found: dict[uuid.UUID, tuple[Authorization, HealthProblemKind]] = {}
    for each_kind, condition, order in _queries(mine, kind):
        if kind in (None, each_kind):
            is_disabled = each_kind is HealthProblemKind.DISABLED
            which = rows.filter(condition, connection__disabled_at__isnull=not is_disabled)
            for row in which.order_by(*order, "pk")[: limit - len(found)]:
                found.setdefault(row.pk, (row, each_kind))
    installed = _installed(row for row, _ in found.values())
    return [
        _problem(row, each_kind, installed.get((row.connection_id, row.organization_id)))
        for row, each_kind in found.values()
    ]


def _installed(
    rows: Iterable[Authorization],
) -> dict[tuple[uuid.UUID, uuid.UUID], InstalledConnection]:
    """Return the installed connections of authorizations in Production, in one query."""
    production = [row for row in rows if row.environment == Environment.PRODUCTION]
    if not production:
        return {}
    known = InstalledConnection.objects.filter(
        connection__in=[row.connection_id for row in production],
        organization__in=[row.organization_id for row in production],
    )
    return {(row.connection_id, row.organization_id): row for row in known}


def _queries(
    mine: QuerySet[Authorization], kind: HealthProblemKind | None
) -> Iterable[tuple[HealthProblemKind, Q, tuple[str, ...]]]:
    """Yield each kind with its condition and order; most of them are served by an index."""
    kinds = HealthProblemKind
    active = Q(state=Authorization.State.ACTIVE)
    home = Q(credential__organization=F("organization"))
    stopped = Q(state=Authorization.State.NEEDS_AUTHORIZATION)
    yield kinds.STOPPED, stopped | (active & home & ended()), ("-changed_at",)
    unknown = Q(state=Authorization.State.UNKNOWN_OUTCOME)
    yield kinds.UNKNOWN_OUTCOME, unknown, ("-changed_at",)
    if damaged := unreadable_credentials(MOST):
        yield kinds.UNREADABLE, active & Q(credential__in=damaged), ("-changed_at",)
    # Only developers can enable a connection.
    yield kinds.DISABLED, ~Q(environment=Environment.PRODUCTION), ("-connection__disabled_at",)
    if kind in (None, kinds.PERMISSIONS_MISSING) and (missing := missing_permissions(mine)):
        yield kinds.PERMISSIONS_MISSING, missing, ("-changed_at",)
    yield kinds.ENDING, active & home & ending(), ("credential__ends_at",)
    refused = Q(credential__client_refused=True)
    yield kinds.UNRENEWED, active & home & refused, ("-credential__obtained_at",)
    failing = Q(credential__check_problem__gt="")
    yield kinds.FAILING, active & home & failing, ("-credential__checked_at",)


def _problem(
    row: Authorization, kind: HealthProblemKind, installed: InstalledConnection | None
) -> HealthProblem:
    service = row.connection.connector.name
    credential = row.credential
    if kind is HealthProblemKind.DISABLED:
        why = _disabled(row)
    elif kind is HealthProblemKind.FAILING:
        why = credential.check_problem if credential else ""
    elif kind is HealthProblemKind.UNRENEWED:
        why = credential.renewal_problem if credential else ""
    elif kind is HealthProblemKind.ENDING:
        why = f"{service} provided no way to renew the access."
    elif kind is HealthProblemKind.PERMISSIONS_MISSING:
        why = _missing(row, installed)
    elif kind is HealthProblemKind.UNREADABLE:
        why = (
            "Its stored secret cannot be decrypted, so it cannot be used: the value is damaged "
            "or its key was removed. Reauthorize it, or ask an operator to add the key again."
        )
    elif row.state in STOPPED:
        why = row.reason or "It is no longer authorized."
    else:
        why = f"The access to {service} has ended."
    return HealthProblem(authorization=row, kind=kind, why=why, installed=installed)


def _disabled(row: Authorization) -> str:
    disablement = row.connection.disablement
    stopped = f" Its authorization has stopped, too. {row.reason}" if row.state in STOPPED else ""
    return (disablement.sentence if disablement else "") + stopped


def _missing(row: Authorization, installed: InstalledConnection | None) -> str:
    oauth2 = row.connection.connector.oauth2
    needed = installed.snapshot.scopes_asked if installed else row.scopes_needed
    granted = row.credential.scopes_granted if row.credential else []
    missing = oauth2.missing(needed, granted) if oauth2 else ()
    return (
        f"{row.connection.connector.name} granted {len(needed) - len(missing)} of {len(needed)} "
        f"permissions. Missing: {', '.join(missing)}."
    )
