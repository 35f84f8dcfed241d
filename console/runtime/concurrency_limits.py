"""Concurrency limits of requests: how many may run at once for one key, person or network address.

The threads of a process (``WEB_THREADS``) are divided among programs, people and pages. Proxied
calls hold no thread, and have higher limits of their own. ``console/settings.py`` explains the
figures.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.cookie import parse_cookie

from connectors.http.bulkhead import ConcurrencyLimit, bulkhead
from console.keys.authentication import KeyHolder
from console.keys.rate_limit import address_of

_PERMITS = "console.permits"


class RequestPermits:
    """The permits that one request holds, one for each limit that applies to it."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._limits: list[ConcurrencyLimit] = []
        environ[_PERMITS] = self

    def acquire(self, *limits: ConcurrencyLimit) -> None:
        """Acquire a permit of each limit, or raise ``ServiceBusy`` and acquire none."""
        bulkhead.enter(*limits)
        self._limits += limits

    def release(self) -> None:
        bulkhead.leave(*self._limits)
        self._limits.clear()


def proxied_call_limits(holder: KeyHolder) -> tuple[ConcurrencyLimit, ConcurrencyLimit]:
    """Return the limits of proxied calls: of this key, and of all programs together."""
    most_per_key, most = settings.PROXY_CALLS_AT_ONCE_PER_KEY, settings.PROXY_CALLS_AT_ONCE
    return _proxied_call_limits(holder.key_id, most_per_key, most)


def acquire_for_key(holder: KeyHolder, environ: Mapping[str, Any]) -> None:
    """Let a request count against the limit of its key, or raise ``ServiceBusy``.

    Has no effect without :class:`~console.server.admission.AdmissionControl`.
    """
    permits: RequestPermits | None = environ.get(_PERMITS)
    if permits is not None:
        permits.acquire(ConcurrencyLimit(of=("key", holder.key_id), most=settings.THREADS_PER_KEY))


def program_limit() -> ConcurrencyLimit:
    """Return the limit for all requests of programs that hold a thread."""
    return ConcurrencyLimit(of="programs", most=settings.THREADS_OF_PROGRAMS)


def page_call_limits(environ: Mapping[str, Any]) -> tuple[ConcurrencyLimit, ...]:
    """Return the limits for calls that a page makes: of all people, and of this session."""
    most = settings.THREADS_OF_PEOPLE
    cookies = parse_cookie(environ.get("HTTP_COOKIE", ""))
    session = cookies.get(settings.SESSION_COOKIE_NAME, "")
    return (
        ConcurrencyLimit(of="people", most=most),
        ConcurrencyLimit(of=("session", session), most=max(1, most // 2)),
    )


def proxied_body_limit() -> ConcurrencyLimit:
    """Return the limit for bodies of proxied calls that are received before they are sent.

    Each holds at most a mebibyte. Their senders have shown a key, so no address is limited.
    """
    return ConcurrencyLimit(of="proxied bodies", most=512)


def body_limits(environ: Mapping[str, Any]) -> tuple[ConcurrencyLimit, ...]:
    """Return the limits for bodies that are awaited: all of them, and one network address.

    They are awaited on the event loop, so there may be more of them than threads.
    """
    threads = settings.WEB_THREADS
    return (
        ConcurrencyLimit(of="readers", most=8 * threads),
        ConcurrencyLimit(of=("reader", address_of(environ)), most=max(1, threads // 2)),
    )


@lru_cache(maxsize=1_000)
def _proxied_call_limits(
    key_id: uuid.UUID, most_per_key: int, most: int
) -> tuple[ConcurrencyLimit, ConcurrencyLimit]:
    return (
        ConcurrencyLimit(of=("proxied", key_id), most=most_per_key),
        ConcurrencyLimit(of="proxied", most=most),
    )
