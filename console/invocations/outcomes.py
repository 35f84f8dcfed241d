"""What came of a call, in one word."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Q, Value, When


class CallOutcome(models.TextChoices):
    """Whether it worked, and who says that it did not."""

    WORKED = "worked", "Worked"
    #: The service answered, and did not do what was asked (4xx).
    REFUSED = "refused", "Refused by the service"
    #: The service broke (5xx), was not reached, or the console could not call it.
    FAILED = "failed", "Failed"


def outcome_of(status: int, problem: str) -> CallOutcome:
    """Judge one call by what the program was answered, and by the kind of problem, if any."""
    if problem or status >= 500:
        return CallOutcome.FAILED
    return CallOutcome.REFUSED if status >= 400 else CallOutcome.WORKED


def matching(outcome: str) -> Q:
    """Match the rows of the log with this outcome."""
    answered = Q(problem="")
    return {
        CallOutcome.WORKED: answered & Q(status__lt=400),
        CallOutcome.REFUSED: answered & Q(status__gte=400, status__lt=500),
        CallOutcome.FAILED: ~answered | Q(status__gte=500),
    }[CallOutcome(outcome)]


def in_database() -> Case:
    """Judge rows of the log where they lie."""
    return Case(*(When(matching(each), then=Value(each.value)) for each in CallOutcome))
