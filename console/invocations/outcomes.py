"""What came of a call, in one word."""

from __future__ import annotations

from django.db import models
from django.db.models import Case, Q, Value, When


class Outcome(models.TextChoices):
    """Whether it worked, and who says that it did not."""

    WORKED = "worked", "Worked"
    #: The service answered, and did not do what was asked (4xx).
    REFUSED = "refused", "Refused by the service"
    #: The service broke (5xx), was not reached, or the console could not call it.
    FAILED = "failed", "Failed"


def outcome_of(status: int, problem: str) -> Outcome:
    """Judge one call by what the program was answered, and by the kind of problem, if any."""
    if problem or status >= 500:
        return Outcome.FAILED
    return Outcome.REFUSED if status >= 400 else Outcome.WORKED


def matching(outcome: str) -> Q:
    """Match the rows of the log with this outcome."""
    answered = Q(problem="")
    return {
        Outcome.WORKED: answered & Q(status__lt=400),
        Outcome.REFUSED: answered & Q(status__gte=400, status__lt=500),
        Outcome.FAILED: ~answered | Q(status__gte=500),
    }[Outcome(outcome)]


def in_database() -> Case:
    """Judge rows of the log where they lie."""
    return Case(*(When(matching(each), then=Value(each.value)) for each in Outcome))
