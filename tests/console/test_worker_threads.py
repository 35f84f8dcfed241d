"""Blocking functions that the event loop runs in threads."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from console.worker_threads import WorkerThreads


def on_a_loop(coroutine: Any) -> Any:
    return asyncio.run(coroutine)


def test_all_who_wait_share_one_run():
    threads, calls, go_on = WorkerThreads("test", 4), [], threading.Event()

    def slow(argument: str) -> str:
        calls.append(argument)
        go_on.wait(5)
        return argument.upper()

    async def ask_ten_times() -> list[str]:
        waiting = [asyncio.create_task(threads.run_once("key", slow, "a")) for _ in range(10)]
        await asyncio.sleep(0.05)
        assert threads.is_running("key")
        go_on.set()
        return await asyncio.gather(*waiting)

    assert on_a_loop(ask_ten_times()) == ["A"] * 10
    assert calls == ["a"]
    assert not threads.is_running("key")


def test_an_error_reaches_all_who_wait():
    threads = WorkerThreads("test", 1)

    def fail() -> None:
        raise ValueError("of a test")

    async def ask() -> list[Any]:
        waiting = (threads.run_once("key", fail) for _ in range(3))
        return await asyncio.gather(*waiting, return_exceptions=True)

    assert [str(error) for error in on_a_loop(ask())] == ["of a test"] * 3


@pytest.mark.parametrize("fails", [False, True])
def test_a_run_goes_on_when_everyone_has_given_up(fails, caplog):
    threads, go_on, done = WorkerThreads("test", 1), threading.Event(), threading.Event()

    def slow() -> None:
        go_on.wait(5)
        done.set()
        if fails:
            raise ValueError("of a test")

    async def give_up() -> None:
        waiting = asyncio.create_task(threads.run_once("key", slow))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        go_on.set()
        while threads.is_running("key"):
            await asyncio.sleep(0.01)

    on_a_loop(give_up())
    assert done.is_set()
    assert caplog.records == []  # asyncio reports errors that nobody has seen
