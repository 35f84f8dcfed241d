from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError

from console.invocations import old_calls
from console.invocations.models import HourlyCount, Invocation
from console.invocations.old_calls import prune_invocations


@pytest.fixture
def connection(connect):
    return connect()


def test_it_deletes_old_calls(connection, log):
    log(connection, 5, ago=timedelta(days=31))
    log(connection, 2, ago=timedelta(days=29))
    assert prune_invocations(30) == 5
    assert Invocation.objects.count() == 2
    assert [count.calls for count in HourlyCount.objects.all()] == [2]
    assert prune_invocations(30) == 0


def test_the_setting_gives_the_age(connection, log, settings):
    settings.INVOCATION_DAYS = 3
    log(connection, ago=timedelta(days=4))
    assert prune_invocations() == 1


def test_it_deletes_in_batches(connection, log, monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(old_calls, "BATCH", 2)
    log(connection, 5, ago=timedelta(days=31))
    with django_assert_num_queries(
        3 + 7
    ):  # the hourly count, then three batches and an empty query
        assert prune_invocations(30) == 5


def test_an_error_keeps_the_finished_batches(connection, log, monkeypatch):
    monkeypatch.setattr(old_calls, "BATCH", 2)
    log(connection, 5, ago=timedelta(days=31))
    calls = []

    def fail_later(execute, *args):
        calls.append(args)
        if len(calls) > 5:
            raise DatabaseError
        return execute(*args)

    from django.db import connection as database

    with database.execute_wrapper(fail_later), pytest.raises(DatabaseError):
        prune_invocations(30)
    assert Invocation.objects.count() == 3
    assert prune_invocations(30) == 3
