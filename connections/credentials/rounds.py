"""Rounds: visit credentials that are due for renewal or for a test, a batch at a time.

``renew_at`` and ``check_at`` say when a credential is due. A visit first moves that time into the
future, so a round that is killed continues where it stopped, and rounds that run at the same time
share the work. The times are spread by the credential's id.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django_tasks.base import Task

from connections.credentials import leases
from connections.models import Authorization, Credential
from console.due_rows import claim

logger = logging.getLogger(__name__)

Column = Literal["renew_at", "check_at"]

BATCH = 100
#: When a visit is repeated that its process did not finish, because it was killed.
AGAIN = timedelta(minutes=15)
#: How long an authorization is still visited that stopped without a clear refusal.
RECOVERS_WITHIN = timedelta(days=30)
#: By column: the credentials that stopped without a clear refusal.
_MAY_RECOVER: dict[Column, Q] = {
    "renew_at": Q(refused="", refusals__gte=leases.REFUSALS),
    "check_at": Q(refused="", check_problem__gt=""),
}
#: After so many failures in a row, a service is skipped for the rest of the round.
PATIENCE = 3


class VisitOutcome(StrEnum):
    """The result of one visit."""

    DONE = "done"
    NOT_DUE = "not due"
    ENDED = "need a person"
    UNAVAILABLE = "service unavailable"
    FAILED = "failed"
    LEFT_OUT = "left for later"
    QUEUED = "handed to workers"


def go_round(column: Column, task: Task, goes_on: Callable[[], bool]) -> Counter[VisitOutcome]:
    """Visit every credential that is due; ``task`` gets its primary key as text.

    Return the number of visits for each result. A visit that fails does not stop the others.
    The round ends when ``goes_on`` returns false.
    """
    results: Counter[VisitOutcome] = Counter()
    in_a_row: Counter[str] = Counter()
    for credential in _due(column):
        if not goes_on():
            break
        if not _claim(credential, column):
            continue
        service = credential.connector_slug
        outcome = (
            VisitOutcome.LEFT_OUT if in_a_row[service] >= PATIENCE else _visit(credential, task)
        )
        if outcome is VisitOutcome.UNAVAILABLE:
            in_a_row[service] += 1
        elif outcome is not VisitOutcome.LEFT_OUT:
            in_a_row[service] = 0
        results[outcome] += 1
    return results


def summary(results: Counter[VisitOutcome]) -> str:
    """Summarize the results of a round in one line."""
    parts = [f"{results[outcome]} {outcome}" for outcome in VisitOutcome if results[outcome]]
    return f"{results.total()} visited" + (f": {', '.join(parts)}" if parts else "")


def share(credential: Credential) -> float:
    """Return a number from 0 to 1 that is always the same for a credential."""
    return credential.pk.int % 1009 / 1008


def set_turn(credential: Credential, column: Column, at: datetime) -> None:
    """Set when the credential is visited next."""
    Credential.objects.filter(pk=credential.pk).update(**{column: at})


def _due(column: Column) -> Iterator[Credential]:
    started, after = timezone.now(), None
    users = Authorization.objects.filter(credential=OuterRef("pk"))
    if column == "check_at":  # tests are calls, and disabled connections make none
        users = users.filter(connection__disabled_at=None)
    active = Q(Exists(users.filter(state=Authorization.State.ACTIVE)))
    stopped = users.filter(
        state=Authorization.State.NEEDS_AUTHORIZATION, changed_at__gt=started - RECOVERS_WITHIN
    )
    rows = (
        Credential.objects.filter(
            Q(**{column: None}) | Q(**{f"{column}__lte": started}),
            active | (_MAY_RECOVER[column] & Q(Exists(stopped))),
        )
        .only("id", "connector_slug", column)
        .order_by("pk")
    )
    while batch := list((rows.filter(pk__gt=after) if after else rows)[:BATCH]):
        yield from batch
        after = batch[-1].pk


def _claim(credential: Credential, column: Column) -> bool:
    # Credentials that were never visited have no time, so the value that was read is compared.
    unchanged = Credential.objects.filter(pk=credential.pk, **{column: getattr(credential, column)})
    return claim(unchanged, column, until=timezone.now() + AGAIN * (1 + share(credential)))


def _visit(credential: Credential, task: Task) -> VisitOutcome:
    try:
        result = task.enqueue(str(credential.pk))
        if not result.is_finished:
            return VisitOutcome.QUEUED
        return VisitOutcome(str(result.return_value))
    except Exception:
        logger.exception("Credential %s could not be visited.", credential.pk)
        return VisitOutcome.FAILED
