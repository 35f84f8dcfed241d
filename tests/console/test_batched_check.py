"""Values that many calls wait for are checked by one query."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import OperationalError

from console.batched_check import BatchedCheck
from console.worker_threads import WorkerThreads


class Checks:
    """Remembers the batches; the first one waits until ``go_on`` is set."""

    def __init__(self, fails: Callable[[Sequence[int]], Exception | None] = lambda _: None) -> None:
        self.batches: list[list[int]] = []
        self.go_on, self.begun, self.fails = threading.Event(), threading.Event(), fails

    def __call__(self, values: Sequence[int]) -> None:
        self.batches.append(sorted(values))
        self.begun.set()
        self.go_on.wait(5)
        if error := self.fails(values):
            raise error


def kept(checks: Checks, *turns: Sequence[int], leaves: int | None = None) -> list[object]:
    """Ask for the values of each turn while the check of the first turn runs."""

    async def ask() -> list[object]:
        batched = BatchedCheck(WorkerThreads("test", 1), checks)
        waiting = []
        for turn in turns:
            waiting += [asyncio.create_task(batched.keep(value)) for value in turn]
            await asyncio.to_thread(checks.begun.wait, 5)
            await asyncio.sleep(0.01)
        if leaves is not None:
            waiting[leaves].cancel()
            await asyncio.sleep(0)
        checks.go_on.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    return asyncio.run(ask())


def test_values_that_are_due_together_are_one_batch():
    checks = Checks()
    assert kept(checks, range(500)) == [None] * 500
    assert checks.batches == [[*range(500)]]


def test_values_that_come_meanwhile_are_the_next_batch():
    checks = Checks()
    assert kept(checks, [1], [2, 3], [3, 4, 4]) == [None] * 6
    assert checks.batches == [[1], [2, 3, 4]]


def test_a_value_that_is_being_checked_is_not_checked_twice():
    checks = Checks()
    kept(checks, [1, 2], [2, 1])
    assert checks.batches == [[1, 2]]


@pytest.mark.parametrize("leaves", [0, 1, 3])
def test_a_caller_that_goes_away_stops_no_check(leaves):
    checks = Checks()
    results = kept(checks, [1, 2], [3, 4], leaves=leaves)
    assert isinstance(results.pop(leaves), asyncio.CancelledError)
    assert results == [None] * 3
    assert checks.batches == [[1, 2], [3, 4]]


def test_where_the_database_is_away_all_of_the_batch_are_told_and_the_next_one_is_not():
    checks = Checks(lambda values: OperationalError("away") if 1 in values else None)
    first, second, third = kept(checks, [1, 2], [3])
    assert isinstance(first, OperationalError) and isinstance(second, OperationalError)
    assert third is None


def test_after_another_error_each_caller_reads_on_its_own(caplog):
    """One value that breaks the query says nothing about the others."""
    checks = Checks(lambda values: ValueError("of a test"))
    assert kept(checks, [1, 2]) == [None, None]
    assert "A check of 2 values failed." in caplog.text


def test_a_value_that_is_still_valid_is_checked_without_waiting():
    checks = Checks(fails=lambda _: OperationalError("away"))

    async def ask() -> list[object]:
        batched = BatchedCheck(WorkerThreads("test", 1), checks)
        batched.keep_soon(1)
        batched.keep_soon(1)
        await asyncio.to_thread(checks.begun.wait, 5)
        waiting = asyncio.create_task(batched.keep(1))
        await asyncio.sleep(0.01)
        checks.go_on.set()
        return await asyncio.gather(waiting, return_exceptions=True)

    (result,) = asyncio.run(ask())
    assert isinstance(result, OperationalError)
    assert checks.batches == [[1]]
