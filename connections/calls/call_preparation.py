"""Prepare calls on the event loop; what reads the database or waits for a service runs in threads.

What was read counts for a second (``prepared_call.py``). After that, one query serves all calls
that wait for it, however many connections they use.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable

from connections.calls.lookup import Caller
from connections.calls.prepared_call import (
    PreparedCall,
    cached_call,
    is_usable,
    keep_current,
    prepare_again,
    read_call,
    renew_expiring,
)
from console.worker_threads import WorkerThreads


class CallPreparation:
    """Prepares calls for one event loop.

    ``reads`` run queries. ``renewals`` may wait for a token endpoint for many seconds, so they
    have threads of their own.
    """

    def __init__(self, reads: WorkerThreads, renewals: WorkerThreads) -> None:
        self._reads, self._renewals = reads, renewals
        #: Calls whose second is over: in the query that runs, and for the next one.
        self._checked: dict[Hashable, PreparedCall] = {}
        self._expired: dict[Hashable, PreparedCall] = {}
        self._check: asyncio.Task[None] | None = None

    async def call(self, caller: Caller, link_name: str) -> PreparedCall:
        """Return a call with a fresh access token; raise ``CallRefused`` or ``ServiceError``."""
        key = caller, link_name
        expired, (prepared, is_valid) = None, cached_call(key)
        if prepared is not None and not is_valid:
            await self._keep_if_current(prepared)
            expired, (prepared, is_valid) = prepared, cached_call(key)
            if prepared is not expired:
                expired = None
        if prepared is None or not is_valid:
            prepared = await self._reads.run_once(key, read_call, key, expired)
        if prepared.renew_at is not None and time.time() >= prepared.renew_at:
            if is_usable(prepared) and self._renewals.is_running(key):
                return prepared
            prepared = await self._renewals.run_once(key, renew_expiring, prepared)
        return prepared

    async def again(
        self, prepared: PreparedCall, *, just_obtained: bool = False
    ) -> PreparedCall | None:
        """Return the call with a new secret, as :func:`prepare_again` does, once for all calls
        that were refused with the same secret.
        """
        key = prepared.key, id(prepared), just_obtained
        return await self._renewals.run_once(key, prepare_again, prepared, just_obtained)

    async def _keep_if_current(self, prepared: PreparedCall) -> None:
        """Keep a call for another second if nothing has changed since it was read.

        Calls that expire while a query runs share the next one.
        """
        key = prepared.key
        if key not in self._checked:
            self._expired[key] = prepared
        while key in self._expired:
            if self._check is None:
                self._checked, self._expired = self._expired, {}
                self._check = asyncio.create_task(self._keep_those_current())
            else:
                await asyncio.wait([self._check])
        if self._check is not None:
            await asyncio.shield(self._check)

    async def _keep_those_current(self) -> None:
        try:
            await self._reads.run(keep_current, list(self._checked.values()))
        finally:
            self._checked, self._check = {}, None
