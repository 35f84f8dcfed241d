"""Threads in which the event loop runs what blocks: database queries, token requests."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class WorkerThreads:
    """At most ``number`` threads; a function beyond that waits, and no thread waits for it."""

    def __init__(self, name: str, number: int) -> None:
        self._executor = ThreadPoolExecutor(number, thread_name_prefix=name)
        self._running: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a blocking function in a thread, and return its result."""
        loop, context = asyncio.get_running_loop(), contextvars.copy_context()
        return await loop.run_in_executor(self._executor, lambda: context.run(function, *arguments))

    async def run_once(self, key: Hashable, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function, or wait for the result of the one that already runs for this key.

        It goes on if one of those who wait for it gives up.
        """
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.create_task(self.run(function, *arguments))
            task.add_done_callback(lambda task: self._forget(key, task))
        result: T = await asyncio.shield(task)
        return result

    def _forget(self, key: Hashable, task: asyncio.Task[Any]) -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # reported by asyncio if everyone who waited has given up

    def is_running(self, key: Hashable) -> bool:
        """Tell whether a function runs for this key."""
        return key in self._running
