"""Database connections of threads that work outside Django's request cycle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

#: How long a write is retried, and the pause between two attempts, in seconds.
RETRY_SECONDS = 60.0
PAUSE_SECONDS = 0.5

T = TypeVar("T")

#: When a thread last found the database down (seconds of the monotonic clock), and the error.
_down: tuple[float, str] = (0.0, "")


def release_connection() -> None:
    """Close or return to the pool what Django would at the end of a request.

    Does nothing within a transaction, whose owner still needs the connection.
    """
    for each in connections.all(initialized_only=True):
        if not each.in_atomic_block:
            each.close_if_unusable_or_obsolete()


@contextmanager
def fail_fast_if_down_since(arrived: float) -> Iterator[None]:
    """Read something that other threads queue up to read, too.

    Raise ``OperationalError`` at once if another thread has found the database down since
    ``arrived`` (monotonic clock). Otherwise every thread in the queue would wait for its own
    timeout.
    """
    global _down
    at, error_name = _down
    if at >= arrived:
        raise OperationalError(error_name)
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        _down = time.monotonic(), type(error).__name__
        raise


def retry_while_down(write: Callable[[], T]) -> T:
    """Write something that cannot be obtained again; retry for a minute while the database is down.

    What a service has just answered may be the only copy of a refresh token. ``write`` may run
    twice, so it must be idempotent. Within a transaction there is no retry.
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
