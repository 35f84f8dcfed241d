"""Check cached values by one query, however many calls wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError

from console.worker_threads import WorkerThreads

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=Hashable)


class BatchedCheck(Generic[T]):
    """Collects values on an event loop and checks them in a thread, one batch at a time.

    ``check`` keeps those that are current in their cache. Values that come while it runs are the
    next batch. A caller then looks into the cache, and reads what is not there on its own: so a
    value that has changed concerns nobody else.
    """

    def __init__(self, threads: WorkerThreads, check: Callable[[Sequence[T]], None]) -> None:
        self._threads, self._check = threads, check
        self._waiting: dict[T, asyncio.Future[None]] = {}
        self._running: dict[T, asyncio.Future[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def keep(self, value: T) -> None:
        """Return when the value has been checked; raise what Django does if the database is away.

        A caller that gives up stops no check.
        """
        await asyncio.shield(self._checked(value))

    def keep_soon(self, value: T) -> None:
        """Check a value that is still valid, so that nobody has to wait for the check later."""
        self._checked(value)

    def _checked(self, value: T) -> asyncio.Future[None]:
        checked = self._running.get(value) or self._waiting.get(value)
        if checked is None:
            checked = self._waiting[value] = asyncio.get_running_loop().create_future()
            if self._task is None:
                self._task = asyncio.create_task(self._run())
        return checked

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._running, self._waiting = self._waiting, {}
                _finish(self._running, await self._error())
        finally:
            _finish(self._running | self._waiting, None)
            self._running, self._waiting, self._task = {}, {}, None

    async def _error(self) -> Exception | None:
        """Check a batch; return the error if the database is away."""
        try:
            await self._threads.run(self._check, list(self._running))
        except (OperationalError, InterfaceError) as error:
            return error
        except Exception:
            logger.exception("A check of %d values failed.", len(self._running))
        return None


def _finish(batch: dict[T, asyncio.Future[None]], error: Exception | None) -> None:
    for checked in batch.values():
        if checked.done():
            continue
        if error is None:
            checked.set_result(None)
        else:
            checked.set_exception(error)
            checked.exception()  # asyncio would report it if everyone who waited has given up
