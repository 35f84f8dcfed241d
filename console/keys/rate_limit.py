"""Rate limit for wrong keys, by network address and minute.

The counts are in the cache (``CACHE_URL``), so processes that share a cache share them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.cache import cache

from console.keys.errors import TooManyGuesses
from console.signing_in.lockout import network_of

#: Wrong keys in one minute from one address; for IPv6, from one /64 network.
LIMIT = 1_000
MINUTE = 60


def address_of(environ: Mapping[str, Any]) -> str:
    """Return the network address of the client, behind the trusted number of proxies."""
    hops = [hop.strip() for hop in environ.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    trusted = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    given = hops[-trusted] if 0 < trusted <= len(hops) else environ.get("REMOTE_ADDR", "")
    try:
        return network_of(given)
    except ValueError:
        return ""


def refuse_guesses(address: str) -> None:
    """Raise :class:`TooManyGuesses` if the address has reached the limit this minute."""
    now = time.time()
    if cache.get(_count(address, now), 0) >= LIMIT:
        raise TooManyGuesses(MINUTE - int(now % MINUTE))


def count_guess(address: str) -> None:
    """Count one wrong key."""
    count = _count(address, time.time())
    if not cache.add(count, 1, 2 * MINUTE):
        try:
            cache.incr(count)
        except ValueError:  # it expired in between
            cache.add(count, 1, 2 * MINUTE)


def _count(address: str, now: float) -> str:
    return f"wrong-keys/{address}/{int(now // MINUTE)}"
