"""What the calls of a connection can be narrowed to; the filters stand in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.db import models
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncMinute
from django.utils import timezone

from connections.models.authorization_site import AuthorizationSite
from console.accounts.models import User
from console.invocations.hourly_counts import METHODS, band_in_database
from console.invocations.models import HOME, HourlyCount, Invocation
from console.invocations.outcomes import CallOutcome, in_database, matching

PAGE_SIZE = 30


class Period(models.TextChoices):
    """How far back; the page never reads further."""

    HOUR = "hour", "Last hour"
    DAY = "day", "Last 24 hours"
    WEEK = "week", "Last 7 days"
    MONTH = "month", "Last 30 days"


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time that ends now, cut into equal steps; the first one began at ``since``."""

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
    """How many calls with one outcome began at a time and took about as long (``hourly_counts.py``)."""

    at: datetime
    outcome: str
    band: int
    calls: int


class CallFilterForm(forms.Form):
    """What the address may say; anything else is left out of account."""

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

    def __init__(self, data: Any, *, site: AuthorizationSite, user: User) -> None:
        data = data.copy()
        if data.get("period") not in Period:
            data["period"] = Period.DAY.value
        super().__init__(data)
        self.site, self.user = site, user
        if not site.is_home:  # it is called in Production alone
            del self.fields["environment"]
        self.is_valid()
        self.span = Span.of(data["period"], timezone.now())

    @property
    def is_of_last_hour(self) -> bool:
        return self.cleaned_data["period"] == Period.HOUR

    def invocations(self) -> QuerySet[Invocation]:
        """Return the calls, narrowed by every filter that is valid."""
        chosen = self.cleaned_data
        rows = self._rows(Invocation).filter(at__gte=self.span.since)
        if outcome := chosen.get("outcome"):
            rows = rows.filter(matching(outcome))
        if who := chosen.get("who"):
            people = User.objects.filter(email__icontains=who)
            rows = rows.filter(Q(key_prefix__startswith=who) | Q(user__in=people))
        return rows.select_related("user")

    def counted(self) -> Iterable[Counted]:
        """Count the calls in one query; those of everybody, also where the list is of one.

        More than an hour is read from the tallies, however many calls there were.
        """
        if self.is_of_last_hour:
            rows = self._rows(Invocation).filter(at__gte=self.span.since)
            rows = rows.annotate(
                time=TruncMinute("at"), result=in_database(), took=band_in_database()
            )
            calls: Any = Count("pk")
        else:
            rows = self._rows(HourlyCount).filter(hour__gte=self.span.since)
            daily = self.cleaned_data["period"] == Period.MONTH
            rows = rows.annotate(
                time=TruncDay("hour") if daily else F("hour"), result=F("outcome"), took=F("band")
            )
            calls = Sum("calls")
        if outcome := self.cleaned_data.get("outcome"):
            rows = rows.filter(result=outcome)
        grouped = rows.order_by().values_list("time", "result", "took").annotate(number=calls)
        return [
            Counted(at=at, outcome=result, band=took, calls=number)
            for at, result, took, number in grouped
        ]

    def tags(self) -> list[dict[str, str]]:
        """List the filters in use, each with the query string that removes it."""
        tags = []
        for name, value in self.cleaned_data.items():
            if name == "period" or not value:
                continue
            label = dict(getattr(self.fields[name], "choices", {})).get(value, value)
            tags.append(
                {
                    "name": str(self.fields[name].label),
                    "value": str(label),
                    "query": self._query_without(name),
                }
            )
        return tags

    @property
    def widest(self) -> str:
        """Return the query of the longest period with no filter."""
        return f"?period={Period.MONTH}"

    @property
    def is_widest(self) -> bool:
        """Tell whether there is no longer period."""
        return self.cleaned_data["period"] == Period.MONTH

    def _query_without(self, name: str) -> str:
        rest = self.data.copy()  # type: ignore[attr-defined]
        for key in (name, "before", "after"):
            rest.pop(key, None)
        return rest.urlencode()

    def _rows(self, model: Any) -> QuerySet[Any]:
        """Narrow rows of either kind by what both of them know."""
        rows = model.objects.visible_to(self.user).at(self.site)
        if environment := self.cleaned_data.get("environment"):
            rows = rows.filter(environment=environment)
        if method := self.cleaned_data.get("method"):
            rows = rows.filter(method=method)
        return rows
