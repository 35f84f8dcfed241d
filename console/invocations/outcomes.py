"""Outcomes of calls: worked, refused by the service, or failed."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Q, Value, When


class CallOutcome(models.TextChoices):
    """Whether a call worked, and if not, whether the service refused it."""

    WORKED = "worked", "Worked"
    #: The service answered with a status of 4xx.
    REFUSED = "refused", "Refused by the service"
    #: The service answered 5xx, could not be reached, or the console could not make the call.
    FAILED = "failed", "Failed"


def outcome_of(status: int, problem: str) -> CallOutcome:
    """Return the outcome of a call from the status of its response and its problem, if any."""
    if problem or status >= 500:
        return CallOutcome.FAILED
    return CallOutcome.REFUSED if status >= 400 else CallOutcome.WORKED


def has_outcome(outcome: str) -> Q:
    """Return the condition that matches rows of the call log with this outcome."""
    answered = Q(problem="")
    return {
        CallOutcome.WORKED: answered & Q(status__lt=400),
        CallOutcome.REFUSED: answered & Q(status__gte=400, status__lt=500),
        CallOutcome.FAILED: ~answered | Q(status__gte=500),
    }[CallOutcome(outcome)]


def outcome_expression() -> Case:
    """Return the SQL expression for the outcome of a row of the call log."""
    return Case(*(When(has_outcome(each), then=Value(each.value)) for each in CallOutcome))
