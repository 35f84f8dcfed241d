from __future__ import annotations

import random
from datetime import UTC, datetime
from statistics import quantiles

import pytest
from django.db import transaction

from console.invocations.call_filters import Counted
from console.invocations.chart import percentile
from console.invocations.equal_calls import count_equal
from console.invocations.hourly_counts import BANDS, band_expression, band_of, count
from console.invocations.log_table import insert
from console.invocations.log_writer import LogWriter
from console.invocations.models import HourlyCount, Invocation
from console.invocations.outcomes import outcome_expression, outcome_of
from tests.invocations.lines import call_line

AT = datetime(2026, 5, 3, 14, 59, 59, tzinfo=UTC)


@pytest.fixture
def row(connect):
    connection = connect()

    def make(**fields):
        return call_line(
            connection, **{"environment": "stage", "milliseconds": 7, "at": AT, **fields}
        )

    return make


def test_calls_of_a_kind_add_up(row):
    with transaction.atomic():
        count(count_equal([row(), row(milliseconds=9), row(status=404)]))
        count(count_equal([row()]))
    found = HourlyCount.objects.order_by("calls").values_list(
        "hour", "outcome", "band", "calls", "slowest"
    )
    hour = AT.replace(minute=0, second=0)
    assert list(found) == [(hour, "refused", 10, 1, 7), (hour, "worked", 10, 3, 9)]


def test_calls_without_a_connection_are_not_counted(row):
    with transaction.atomic():
        count(count_equal([row(connection_id=None)]))
    assert not HourlyCount.objects.exists()


def test_unusual_methods_are_counted_as_other(row):
    with transaction.atomic():
        count(count_equal([row(method="BREW"), row(method="WHEN")]))
    assert [(t.method, t.calls) for t in HourlyCount.objects.all()] == [("OTHER", 2)]


@pytest.mark.django_db(transaction=True)
def test_the_log_and_the_counts_are_written_together(row):
    writer = LogWriter()
    for _ in range(3):
        writer.add(row())
    assert writer.write()
    assert (Invocation.objects.count(), HourlyCount.objects.get().calls) == (3, 3)


@pytest.mark.django_db(transaction=True)
def test_many_processes_count_into_the_same_rows(row, at_once):
    kinds = [row(method=method, milliseconds=ms) for method in ("GET", "POST") for ms in BANDS]

    def write():
        rows = random.sample(kinds, len(kinds))
        with transaction.atomic():
            count(count_equal(rows))

    at_once(6, write)
    assert {each.calls for each in HourlyCount.objects.all()} == {6}


@pytest.mark.parametrize("milliseconds", [0, 5, 6, 999, 1000, 1001, 599_999, 10_000_000])
def test_the_database_finds_the_same_band_and_outcome(row, milliseconds):
    for status, problem in ((200, ""), (302, ""), (404, ""), (503, ""), (200, "caller-gone")):
        insert([row(milliseconds=milliseconds, status=status, problem=problem)])
    annotated = Invocation.objects.annotate(took=band_expression(), result=outcome_expression())
    assert {each.took for each in annotated} == {band_of(milliseconds)}
    for each in annotated:
        assert each.result == outcome_of(each.status, each.problem)


def test_the_percentile_is_within_a_band_of_the_true_one():
    chance = random.Random(1)
    for _ in range(50):
        times = [round(chance.lognormvariate(5, 1.2)) for _ in range(500)]
        counted = [
            Counted(at=AT, outcome="worked", band=band_of(time), calls=1, slowest=time)
            for time in times
        ]
        true = quantiles(times, n=20, method="inclusive")[-1]
        found = percentile(counted)
        assert band_of(found) in {band_of(int(true)), band_of(int(true) + 1)}
        assert found <= max(times)
    assert percentile([]) is None
