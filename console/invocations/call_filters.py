"""Filters of the page that lists the calls of a connection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db import models
from django.db.models import Aggregate, Count, F, Max, Q, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncMinute
from django.http import QueryDict
from django.utils import timezone

from connections.models.authorization_site import AuthorizationSite
from console.accounts.models import User
from console.filters import FilterForm
from console.invocations.hourly_counts import METHODS, band_expression
from console.invocations.models import HOME, HourlyCount, Invocation
from console.invocations.outcomes import CallOutcome, has_outcome, outcome_expression

PAGE_SIZE = 30


class Period(models.TextChoices):
    """How far back the page goes."""

    HOUR = "hour", "Last hour"
    DAY = "day", "Last 24 hours"
    WEEK = "week", "Last 7 days"
    MONTH = "month", "Last 30 days"


@dataclass(frozen=True, kw_only=True)
class Span:
    """A period that ends now, in equal steps; the first step starts at ``since``."""

    since: datetime
    step: timedelta
    steps: int

    @classmethod
    def of(cls, period: str, now: datetime) -> Span:
        step, steps = _STEPS[Period(period)]
        seconds = step.total_seconds()
        last = now.timestamp() // seconds * seconds
        since = datetime.fromtimestamp(last, UTC) - (steps - 1) * step
        return cls(since=since, step=step, steps=steps)


_STEPS = {
    Period.HOUR: (timedelta(minutes=2), 30),
    Period.DAY: (timedelta(hours=1), 24),
    Period.WEEK: (timedelta(hours=6), 28),
    Period.MONTH: (timedelta(days=1), 30),
}


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A number of calls with the same start, outcome and duration band (``hourly_counts.py``).

    ``slowest`` is the duration of the slowest of them, in milliseconds.
    """

    at: datetime
    outcome: str
    band: int
    calls: int
    slowest: int


class CallFilterForm(FilterForm):
    """Filter calls by period, environment, outcome, method, and person or key."""

    period = forms.ChoiceField(label="Period", choices=Period.choices)
    environment = forms.ChoiceField(
        label="Environment",
        required=False,
        choices=[("", "Any"), *((each.value, each.label) for each in HOME)],
    )
    outcome = forms.ChoiceField(
        label="Outcome", required=False, choices=[("", "Any"), *CallOutcome.choices]
    )
    method = forms.ChoiceField(
        label="Method", required=False, choices=[("", "Any"), *((each, each) for each in METHODS)]
    )
    who = forms.CharField(
        label="Person or key",
        required=False,
        max_length=254,
        widget=forms.TextInput(attrs={"placeholder": "E-mail or key", "autocomplete": "off"}),
    )

    def __init__(self, params: QueryDict, *, site: AuthorizationSite, user: User) -> None:
        params = params.copy()
        if params.get("period") not in Period:
            params["period"] = Period.DAY.value
        super().__init__(params, user=user)
        self.site = site
        if not site.is_home:  # clients call only in Production
            del self.fields["environment"]
        self.span = Span.of(str(params["period"]), timezone.now())

    @property
    def is_of_last_hour(self) -> bool:
        return self.chosen["period"] == Period.HOUR

    def invocations(self) -> QuerySet[Invocation]:
        """Return the calls, narrowed by the filters."""
        chosen = self.chosen
        rows = self._rows(Invocation).filter(at__gte=self.span.since)
        if outcome := chosen.get("outcome"):
            rows = rows.filter(has_outcome(outcome))
        if who := chosen.get("who"):
            people = User.objects.filter(email__icontains=who)
            rows = rows.filter(Q(key_prefix__startswith=who) | Q(user__in=people))
        return rows.select_related("user")

    def counted(self) -> Iterable[Counted]:
        """Count the calls in one query. The filter by person or key does not apply here.

        Periods longer than an hour are read from the hourly counts, so the number of calls
        does not matter.
        """
        calls: Aggregate
        if self.is_of_last_hour:
            rows = self._rows(Invocation).filter(at__gte=self.span.since)
            rows = rows.annotate(
                time=TruncMinute("at"), result=outcome_expression(), took=band_expression()
            )
            calls, slowest = Count("pk"), Max("milliseconds")
        else:
            rows = self._rows(HourlyCount).filter(hour__gte=self.span.since)
            daily = self.chosen["period"] == Period.MONTH
            rows = rows.annotate(
                time=TruncDay("hour") if daily else F("hour"), result=F("outcome"), took=F("band")
            )
            calls, slowest = Sum("calls"), Max("slowest")
        if outcome := self.chosen.get("outcome"):
            rows = rows.filter(result=outcome)
        grouped = rows.order_by().values_list("time", "result", "took")
        return [
            Counted(at=at, outcome=result, band=took, calls=number, slowest=most)
            for at, result, took, number, most in grouped.annotate(number=calls, most=slowest)
        ]

    def boxes(self) -> list[forms.BoundField]:
        """Return all fields except the period, which is always set and cannot be removed."""
        return [box for box in self if box.name != "period"]

    @property
    def widest(self) -> str:
        """Return the query string of the longest period without filters."""
        return f"?period={Period.MONTH}"

    @property
    def is_widest(self) -> bool:
        """Return whether the period is the longest one."""
        return self.chosen["period"] == Period.MONTH

    def _rows(self, model: Any) -> QuerySet[Any]:
        """Filter rows of either model by the columns that both have."""
        rows = model.objects.visible_to(self.user).at(self.site)
        if environment := self.chosen.get("environment"):
            rows = rows.filter(environment=environment)
        if method := self.chosen.get("method"):
            rows = rows.filter(method=method)
        return rows
