"""Prepare calls on the event loop; what reads the database or waits for a service runs in threads.

What was read counts for a second (``prepared_call.py``). It is checked again when half of that is
over, so that calls seldom wait; one query serves all connections that are due.
"""

from __future__ import annotations

import time

from connections.calls.lookup import Caller
from connections.calls.prepared_call import (
    VALID_SECONDS,
    PreparedCall,
    cached_call,
    is_usable,
    keep_current,
    prepare_again,
    read_call,
    renew_expiring,
)
from console.batched_check import BatchedCheck
from console.worker_threads import WorkerThreads


class CallPreparation:
    """Prepares calls for one event loop.

    ``reads`` run queries. ``renewals`` may wait for a token endpoint for many seconds, so they
    have threads of their own.
    """

    def __init__(self, reads: WorkerThreads, renewals: WorkerThreads) -> None:
        self._reads, self._renewals = reads, renewals
        self._current = BatchedCheck(reads, keep_current)

    async def call(self, caller: Caller, link_name: str) -> PreparedCall:
        """Return a call with a fresh access token; raise ``CallRefused`` or ``ServiceError``."""
        key = caller, link_name
        expired, (prepared, seconds) = None, cached_call(key)
        if prepared is not None:
            if seconds <= 0:
                await self._current.keep(prepared)
                expired, (prepared, seconds) = prepared, cached_call(key)
                if prepared is not expired:
                    expired = None
            elif seconds < VALID_SECONDS / 2:
                self._current.keep_soon(prepared)
        if prepared is None or seconds <= 0:
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
