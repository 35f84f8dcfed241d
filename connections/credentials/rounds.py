"""Visit credentials when their turn has come: a few at a time, all the time.

``renew_at`` and ``check_at`` of a credential say when. A visit moves its time into the
future before anything is asked, so a round that is killed goes on where it stopped, and
two rounds at once share the work. Turns are spread by the credential's id.
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

logger = logging.getLogger(__name__)

Column = Literal["renew_at", "check_at"]

BATCH = 100
#: A visit that says nothing more of it, because its process was killed, is made again then.
AGAIN = timedelta(minutes=15)
#: What has stopped without a clear no may recover, and is visited for so long.
RECOVERS_WITHIN = timedelta(days=30)
#: By column: what tells that it has stopped so.
_MAY_RECOVER: dict[Column, Q] = {
    "renew_at": Q(refused="", refusals__gte=leases.REFUSALS),
    "check_at": Q(refused="", check_problem__gt=""),
}
#: So many visits in a row that found a service out of reach, and it is left out of the round.
PATIENCE = 3


class VisitOutcome(StrEnum):
    """What came of one visit."""

    DONE = "done"
    NOT_DUE = "not due"
    ENDED = "need a person"
    UNAVAILABLE = "service unavailable"
    FAILED = "failed"
    LEFT_OUT = "left for later"
    QUEUED = "handed to workers"


def go_round(column: Column, task: Task, goes_on: Callable[[], bool]) -> Counter[VisitOutcome]:
    """Visit every credential whose turn has come; ``task`` is given its key as text.

    Return how many visits came to what. One that fails stops no other. ``goes_on`` is asked
    before each visit.
    """
    came: Counter[VisitOutcome] = Counter()
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
        came[outcome] += 1
    return came


def summary(came: Counter[VisitOutcome]) -> str:
    """Say in one line what came of a round."""
    parts = [f"{came[outcome]} {outcome}" for outcome in VisitOutcome if came[outcome]]
    return f"{came.total()} visited" + (f": {', '.join(parts)}" if parts else "")


def share(credential: Credential) -> float:
    """Return a number from 0 to 1 that is the same for a credential every time."""
    return credential.pk.int % 1009 / 1008


def set_turn(credential: Credential, column: Column, at: datetime) -> None:
    """Say when the credential is visited next."""
    Credential.objects.filter(pk=credential.pk).update(**{column: at})


def _due(column: Column) -> Iterator[Credential]:
    started, after = timezone.now(), None
    users = Authorization.objects.filter(credential=OuterRef("pk"))
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
    seen = getattr(credential, column)
    again = timezone.now() + AGAIN * (1 + share(credential))
    mine = Credential.objects.filter(pk=credential.pk, **{column: seen})
    return bool(mine.update(**{column: again}))


def _visit(credential: Credential, task: Task) -> VisitOutcome:
    try:
        result = task.enqueue(str(credential.pk))
        if not result.is_finished:
            return VisitOutcome.QUEUED
        return VisitOutcome(str(result.return_value))
    except Exception:
        logger.exception("Credential %s could not be visited.", credential.pk)
        return VisitOutcome.FAILED
