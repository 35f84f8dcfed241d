"""Calls and errors of the last seven days, for Home."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Max, QuerySet, Sum
from django.utils import timezone

from connectors.definitions.registry import connector_or_placeholder
from connectors.definitions.schema import Connector
from console.accounts.models import Organization
from console.invocations.call_filters import Counted, Period, Span
from console.invocations.chart import Chart, draw
from console.invocations.models import HourlyCount
from console.invocations.outcomes import CallOutcome

#: As many connections with errors are named.
MAX_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class ErrorCount:
    """A connection and how many of its calls did not work."""

    key: uuid.UUID
    name: str
    connector: Connector
    errors: int


@dataclass(frozen=True, kw_only=True)
class RecentCalls:
    """The chart, and the connections of the developers with the most errors."""

    chart: Chart
    worst: list[ErrorCount]


def recent_calls(user: Any, organization: Organization | None) -> RecentCalls:
    """Read the hourly counts that a person may see: one query, and one more for errors."""
    span = Span.of(Period.WEEK, timezone.now())
    rows: QuerySet[HourlyCount] = HourlyCount.objects.visible_to(user).filter(hour__gte=span.since)
    if organization:
        rows = rows.filter(organization=organization)
    grouped = rows.order_by().values_list("hour", "outcome", "band")
    counted = [
        Counted(at=at, outcome=outcome, band=band, calls=calls, slowest=slowest)
        for at, outcome, band, calls, slowest in grouped.annotate(
            number=Sum("calls"), most=Max("slowest")
        )
    ]
    has_errors = any(each.outcome != CallOutcome.WORKED for each in counted)
    return RecentCalls(chart=draw(counted, span), worst=_worst(rows) if has_errors else [])


def _worst(rows: QuerySet[HourlyCount]) -> list[ErrorCount]:
    at_home = rows.filter(organization=F("connection__application__organization"))
    errors = at_home.exclude(outcome=CallOutcome.WORKED)
    grouped = errors.order_by().values_list(
        "connection", "connection__name", "connection__connector_slug"
    )
    counted = grouped.annotate(number=Sum("calls")).order_by("-number", "connection")
    return [
        ErrorCount(key=key, name=name, connector=connector_or_placeholder(slug), errors=number)
        for key, name, slug, number in counted[:MAX_NAMED]
    ]
