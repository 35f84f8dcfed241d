"""Bulkhead: limits of concurrent calls for each origin, key and person.

A call from a page or a run holds a thread until the service responds; a proxied call holds memory
and a connection. The limits keep one slow service, one key or one person from taking all of them
(Nygard, *Release It!*, "Bulkheads"). A call over a limit is rejected at once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

from django.conf import settings

from connectors.errors import ConsoleBusy, ServiceBusy
from connectors.http.ssrf import Destination

#: ``Retry-After`` is random: callers rejected together would otherwise retry together.
BUSY_SECONDS = 2, 8


@dataclass(frozen=True, kw_only=True)
class ConcurrencyLimit:
    """The most concurrent calls for one key, person or origin."""

    of: Hashable
    most: int
    service: str = ""

    @property
    def error(self) -> ServiceBusy:
        """Return the error for a call over this limit."""
        seconds = random.randint(*BUSY_SECONDS)  # noqa: S311
        if self.service:
            return ServiceBusy(
                f"This process of the console already has {self.most} calls to {self.service} in "
                "progress, which is the limit. Nothing was sent. Try again in a moment.",
                retry_after=seconds,
            )
        return ConsoleBusy(
            f"This process of the console already has {self.most} such calls in progress, which is "
            "the limit. Nothing was sent. Try again in a moment.",
            retry_after=seconds,
        )


class Bulkhead:
    """Counts the calls in progress for each limit."""

    def __init__(self) -> None:
        self._in_progress: Counter[Hashable] = Counter()
        self._lock = Lock()

    def enter(self, *limits: ConcurrencyLimit) -> None:
        """Count one more call for all limits, or raise ``ServiceBusy`` and count none."""
        with self._lock:
            for limit in limits:
                if self._in_progress[limit.of] >= limit.most:
                    raise limit.error
            self._in_progress.update(limit.of for limit in limits)

    def leave(self, *limits: ConcurrencyLimit) -> None:
        with self._lock:
            for limit in limits:
                self._in_progress[limit.of] -= 1
                if not self._in_progress[limit.of]:
                    del self._in_progress[limit.of]

    def in_progress(self, of: Hashable) -> int:
        """Return the number of calls in progress for one key."""
        return self._in_progress.get(of, 0)


bulkhead = Bulkhead()
_caller_limits: ContextVar[tuple[ConcurrencyLimit, ...]] = ContextVar("callers", default=())


@contextmanager
def caller_limits(*limits: ConcurrencyLimit) -> Iterator[None]:
    """Apply limits of the caller to the calls made inside the block."""
    token = _caller_limits.set(limits)
    try:
        yield
    finally:
        _caller_limits.reset(token)


@lru_cache(maxsize=1_000)
def proxied_call_limit(destination: Destination, service: str, most: int) -> ConcurrencyLimit:
    """Return the limit of proxied calls to the origin of this destination; they hold no thread."""
    return ConcurrencyLimit(of=("proxied", *_origin(destination)), most=most, service=service)


def limits_for(
    destination: Destination, service: str, *, grants: bool = False
) -> tuple[ConcurrencyLimit, ...]:
    """Return the limits for a call in a thread: those of the destination's origin and the caller.

    ``grants`` is for token and revocation requests. They are counted separately, so that an API
    that hangs does not block authorizing or revoking.
    """
    origin = ConcurrencyLimit(
        of=_origin(destination), most=settings.THREADS_PER_SERVICE, service=service
    )
    limits = (origin, *_caller_limits.get())
    return tuple(replace(limit, of=("grants", limit.of)) for limit in limits) if grants else limits


def _origin(destination: Destination) -> tuple[str, str, int]:
    return destination.scheme, destination.host, destination.port
