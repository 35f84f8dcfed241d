"""The database connection of a thread, where no request of Django's looks after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

#: For how long a write is tried again, and the pause between two attempts, in seconds.
RETRY_SECONDS = 60.0
PAUSE_SECONDS = 0.5

T = TypeVar("T")

#: When a thread last found out, and by what (seconds of the monotonic clock).
_away: tuple[float, str] = (0.0, "")


def give_back() -> None:
    """Do as Django does after a request: close what is broken, too old, or goes to the pool.

    Within a transaction nothing happens: it is its caller's.
    """
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close_if_unusable_or_obsolete()


@contextmanager
def in_turn(arrived: float) -> Iterator[None]:
    """Read what other threads that waited for their turn want to read, too.

    Where the database turned out to be away since this one ``arrived``, by the monotonic
    clock, it raises ``OperationalError`` at once: else each would find out in its turn.
    """
    global _away
    at, why = _away
    if at >= arrived:
        raise OperationalError(why)
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        _away = time.monotonic(), type(error).__name__
        raise


def retry_while_away(write: Callable[[], T]) -> T:
    """Write something that cannot be had again, and try for a minute while the database is away.

    What a service has just answered may be the only copy of a refresh token. ``write`` may run
    twice, so it has to be harmless then. Within a transaction nothing is tried again.
    """
    give_up = time.monotonic() + RETRY_SECONDS
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > give_up:
                raise
            connection.close()
            time.sleep(PAUSE_SECONDS)
