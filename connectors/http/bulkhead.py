"""The bulkhead: how many calls of this process may be under way at once.

A call holds a thread until its service has answered. So each origin has a share of the
threads, and so has whoever calls: one slow service, one key or one person leaves the rest to
others (Nygard, *Release It!*, "Bulkheads"). A call beyond a share is refused at once.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from threading import Lock

from django.conf import settings

from connectors.errors import ConsoleBusy, ServiceBusy
from connectors.http.ssrf import Destination

#: When it may go better, at random: who is refused together is not to come again together.
BUSY_SECONDS = 2, 8


@dataclass(frozen=True, kw_only=True)
class ConcurrencyLimit:
    """How many calls may be under way at once for one key, one person or one origin."""

    of: Hashable
    most: int
    service: str = ""

    @property
    def refusal(self) -> ServiceBusy:
        """Say that nothing was sent because the share is taken."""
        seconds = random.randint(*BUSY_SECONDS)  # noqa: S311
        if self.service:
            return ServiceBusy(
                f"{self.most} calls to {self.service} are under way in this process of the "
                "console, and more at once it does not make. Nothing was sent. Try again in a "
                "moment.",
                retry_after=seconds,
            )
        return ConsoleBusy(
            f"{self.most} calls are under way already, and more at once this process of the "
            "console does not take here. Nothing was sent. Try again in a moment.",
            retry_after=seconds,
        )


class Bulkhead:
    """Counts what is under way, by share."""

    def __init__(self) -> None:
        self._under_way: Counter[Hashable] = Counter()
        self._lock = Lock()

    def enter(self, *shares: ConcurrencyLimit) -> None:
        """Count one more for all of the shares, or raise ``ServiceBusy`` and count none."""
        with self._lock:
            for share in shares:
                if self._under_way[share.of] >= share.most:
                    raise share.refusal
            self._under_way.update(share.of for share in shares)

    def leave(self, *shares: ConcurrencyLimit) -> None:
        with self._lock:
            for share in shares:
                self._under_way[share.of] -= 1
                if not self._under_way[share.of]:
                    del self._under_way[share.of]

    def under_way(self, of: Hashable) -> int:
        """Count what is under way for one of them."""
        return self._under_way.get(of, 0)


bulkhead = Bulkhead()
_callers: ContextVar[tuple[ConcurrencyLimit, ...]] = ContextVar("callers", default=())


@contextmanager
def calling(*shares: ConcurrencyLimit) -> Iterator[None]:
    """Let the calls that are made inside count for whoever makes them, too."""
    token = _callers.set(shares)
    try:
        yield
    finally:
        _callers.reset(token)


def shares_of(
    place: Destination, service: str, most: int | None = None, *, grants: bool = False
) -> tuple[ConcurrencyLimit, ...]:
    """Return what a call to this place counts for: its origin, and whoever makes it.

    ``grants`` tells that it asks for a token or gives one back. These are counted apart: an
    API that hangs keeps nobody from authorizing or revoking.
    """
    origin = ConcurrencyLimit(
        of=(place.scheme, place.host, place.port),
        most=settings.PROXY_CALLS_AT_ONCE if most is None else most,
        service=service,
    )
    shares = (origin, *_callers.get())
    return tuple(replace(share, of=("grants", share.of)) for share in shares) if grants else shares
