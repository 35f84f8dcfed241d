"""Which share of the threads a request counts for, from its beginning to its end.

The threads of a process (``WEB_THREADS``) are divided; ``console/settings.py``
says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http.cookie import parse_cookie

from connectors.http.bulkhead import ConcurrencyLimit, bulkhead
from console.keys.authentication import KeyHolder
from console.keys.rate_limit import address_of

_TICKET = "console.ticket"


class Ticket:
    """What one request counts for until it is over."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._shares: list[ConcurrencyLimit] = []
        environ[_TICKET] = self

    def take(self, *shares: ConcurrencyLimit) -> None:
        """Count for these, too, or raise ``ServiceBusy``."""
        bulkhead.enter(*shares)
        self._shares += shares

    def end(self) -> None:
        bulkhead.leave(*self._shares)
        self._shares.clear()


def count_for(holder: KeyHolder, environ: Mapping[str, Any]) -> None:
    """Let a request count for the key that it comes with, or raise ``ServiceBusy``.

    Where no server stands before the application, nothing is counted.
    """
    ticket: Ticket | None = environ.get(_TICKET)
    if ticket is not None:
        ticket.take(
            ConcurrencyLimit(of=("key", holder.key_id), most=settings.CALLS_AT_ONCE_PER_KEY)
        )


def of_programs() -> ConcurrencyLimit:
    """Return what every request of a program counts for."""
    return ConcurrencyLimit(of="programs", most=settings.CALLS_AT_ONCE)


def of_people(environ: Mapping[str, Any]) -> tuple[ConcurrencyLimit, ...]:
    """Return what a call counts for that a page makes: all people, and this session."""
    most = settings.CALLS_AT_ONCE_OF_PEOPLE
    cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
    session = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return (
        ConcurrencyLimit(of="people", most=most),
        ConcurrencyLimit(of=("session", session), most=max(1, most // 2)),
    )


def of_readers(environ: Mapping[str, Any]) -> tuple[ConcurrencyLimit, ...]:
    """Return what a body counts for that is awaited: all of them, and its network address.

    They are awaited on the event loop, so there may be more of them than threads.
    """
    threads = settings.WEB_THREADS
    return (
        ConcurrencyLimit(of="readers", most=8 * threads),
        ConcurrencyLimit(of=("reader", address_of(environ)), most=max(1, threads // 2)),
    )
