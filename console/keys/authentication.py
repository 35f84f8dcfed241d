"""Authenticate requests by their API key. Runs for every call that a program makes.

A valid key is cached for a second, so that a revoked one stops working in every process within
a second. All invalid keys get the same response, in about the same time.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from console.database import fail_fast_if_down_since, release_connection
from console.keys import last_used
from console.keys.errors import KeyInUrl, KeyRefused
from console.keys.key_format import contains_key, digest_of, prefix_of
from console.keys.models import ApiKey
from console.keys.rate_limit import address_of, count_guess, refuse_guesses
from console.short_cache import ShortCache

_NO_DIGEST = "0" * 64


@dataclass(frozen=True, kw_only=True)
class KeyHolder:
    """A verified key: one application in one environment of one organization."""

    key_id: uuid.UUID
    prefix: str
    application_id: uuid.UUID
    organization_id: uuid.UUID
    environment: str


VALID_SECONDS = 1.0
_holders: ShortCache[str, KeyHolder] = ShortCache(seconds=VALID_SECONDS)


def authenticate(environ: Mapping[str, Any]) -> KeyHolder:
    """Return the holder of the key in a WSGI request (``request.META``).

    Raise :class:`KeyInUrl`, and what :func:`authenticate_key` raises.
    """
    return authenticate_key(key_of(environ), environ)


def key_of(environ: Mapping[str, Any]) -> str:
    """Return the key in a WSGI request, not verified yet; raise ``KeyInUrl`` or ``KeyRefused``."""
    if contains_key(environ.get("PATH_INFO", "")) or contains_key(environ.get("QUERY_STRING", "")):
        raise KeyInUrl
    scheme, _, raw = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        raise KeyRefused
    return raw.strip()


def cached_holder(raw: str) -> tuple[KeyHolder | None, float]:
    """Return the holder of a key that was verified before, and for how many seconds it counts."""
    return _holders.aged(digest_of(raw))


def keep_valid(keys: Sequence[str]) -> None:
    """Keep those keys for another second that are still valid, by one query. The others end now."""
    began = time.monotonic()
    digests = [digest_of(raw) for raw in keys]
    holders = {digest: holder for digest in digests if (holder := _holders.peek(digest))}
    try:
        with fail_fast_if_down_since(began):
            prefixes = [holder.prefix for holder in holders.values()]
            rows = list(ApiKey.objects.filter(prefix__in=prefixes, revoked_at=None))
    finally:
        release_connection()
    for row in rows:
        holder = holders.get(row.digest)
        if holder is not None and holder == _holder_of(row):
            last_used.note(row.pk, row.last_used_at)
            _holders.extend(row.digest, holder, since=began)
            del holders[row.digest]
    for digest, holder in holders.items():
        _holders.end(digest, holder)


def authenticate_key(raw: str, environ: Mapping[str, Any] | None = None) -> KeyHolder:
    """Return the holder of a key; wrong keys are counted by network address.

    Raise :class:`KeyRefused` or :class:`TooManyGuesses`. A key that was valid before is not
    blocked by wrong keys from the same address.
    """
    digest = digest_of(raw)
    return _holders.get(digest, partial(_verify_limited, raw, digest, environ))


def seconds_cached(raw: str) -> float:
    """Return for how many more seconds a verified key is not read again."""
    return _holders.seconds_left(digest_of(raw))


def _verify_limited(raw: str, digest: str, environ: Mapping[str, Any] | None) -> KeyHolder:
    address = address_of(environ) if environ else ""
    if address and not _holders.peek(digest):
        refuse_guesses(address)
    try:
        return _verify(raw, digest)
    except KeyRefused:
        if address:
            count_guess(address)
        raise


def _verify(raw: str, digest: str) -> KeyHolder:
    prefix = prefix_of(raw)
    if prefix is None:
        raise KeyRefused
    row = ApiKey.objects.filter(prefix=prefix).first()
    same = secrets.compare_digest(row.digest if row else _NO_DIGEST, digest)
    if row is None or not same or row.revoked_at:
        raise KeyRefused
    last_used.note(row.pk, row.last_used_at)
    return _holder_of(row)


def _holder_of(row: ApiKey) -> KeyHolder:
    return KeyHolder(
        key_id=row.pk,
        prefix=row.prefix,
        application_id=row.application_id,
        organization_id=row.organization_id,
        environment=row.environment,
    )
