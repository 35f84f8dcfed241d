"""Count calls by the hour when they are written, so that a chart of a month is cheap.

Durations are stored as a histogram with the buckets :data:`BANDS`. Histograms can be added up
and still give a percentile; averages and percentiles cannot.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.db.models import Case, Value, When

from console.invocations.equal_calls import EqualCalls
from console.invocations.models import HourlyCount
from console.invocations.outcomes import outcome_of

#: The upper end of each band, in milliseconds. Longer calls count in the last band.
BANDS = (
    *(5, 10, 20, 30, 50, 75, 100, 150, 200, 300, 400, 500, 750),
    *(1_000, 1_500, 2_000, 3_000, 5_000, 7_500, 10_000, 15_000, 20_000, 30_000, 60_000, 600_000),
)
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
OTHER = "OTHER"
_KEY = ("connection_id", "organization_id", "hour", "environment", "method", "outcome", "band")


def band_of(milliseconds: int) -> int:
    """Return the upper end of the band of a duration."""
    return BANDS[min(bisect_left(BANDS, milliseconds), len(BANDS) - 1)]


def band_expression() -> Case:
    """Return the SQL expression for the band of a row of the call log."""
    ends = (When(milliseconds__lte=end, then=Value(end)) for end in BANDS)
    return Case(*ends, default=Value(BANDS[-1]))


def count(calls: Mapping[EqualCalls, int]) -> None:
    """Add calls to the hourly counts, in the transaction that writes them to the log."""
    found: Counter[tuple[Any, ...]] = Counter()
    slowest: dict[tuple[Any, ...], int] = {}
    for kind, number in calls.items():
        if kind.context.connection_id:
            key = _key(kind)
            found[key] += number
            slowest[key] = max(kind.milliseconds, slowest.get(key, 0))
    if not found:
        return
    by_name = {field.attname: field for field in HourlyCount._meta.concrete_fields}
    fields = [by_name[name] for name in (*_KEY, "calls", "slowest")]
    quoted = connection.ops.quote_name
    table, total, slow = map(quoted, (HourlyCount._meta.db_table, "calls", "slowest"))
    columns = [quoted(str(field.column)) for field in fields]
    sql = (
        f"INSERT INTO {table} ({', '.join(columns)}) "  # noqa: S608
        f"VALUES ({', '.join(['%s'] * len(fields))}) "
        f"ON CONFLICT ({', '.join(columns[: len(_KEY)])}) "
        f"DO UPDATE SET {total} = {table}.{total} + excluded.{total}, {slow} = "
        f"CASE WHEN excluded.{slow} > {table}.{slow} THEN excluded.{slow} ELSE {table}.{slow} END"
    )
    values = [
        [
            field.get_db_prep_value(value, connection)
            for field, value in zip(fields, (*key, number, slowest[key]), strict=True)
        ]
        # All processes use the same order, which prevents deadlocks.
        for key, number in sorted(found.items(), key=lambda item: str(item[0]))
    ]
    with connection.cursor() as cursor:
        cursor.executemany(sql, values)


def _key(kind: EqualCalls) -> tuple[Any, ...]:
    """Return the values of the fields :data:`_KEY`."""
    return (
        kind.context.connection_id,
        kind.context.organization_id,
        kind.hour,
        kind.context.environment,
        kind.method if kind.method in METHODS else OTHER,
        outcome_of(kind.status, kind.problem).value,
        band_of(kind.milliseconds),
    )
