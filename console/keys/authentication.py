"""Whose key a request comes with: the hot path of every call that a program makes.

A key that counts is known for a second without a query, so that one that was revoked is
dead in every process a second later. Whatever does not count is refused alike, in like time.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from console.keys import last_used
from console.keys.errors import KeyInAddress, KeyRefused
from console.keys.key_format import digest_of, holds_key, prefix_of
from console.keys.models import ApiKey
from console.keys.rate_limit import address_of, count_guess, refuse_guesses
from console.short_cache import ShortCache

_NO_DIGEST = "0" * 64


@dataclass(frozen=True, kw_only=True)
class KeyHolder:
    """What a key stands for: one application in one environment of one organization."""

    key_id: uuid.UUID
    prefix: str
    application_id: uuid.UUID
    organization_id: uuid.UUID
    environment: str


_holders: ShortCache[KeyHolder] = ShortCache(seconds=1)


def holder_at(environ: Mapping[str, Any]) -> KeyHolder:
    """Return whose key stands in the headers of a WSGI request (``request.META``).

    Raise :class:`KeyInAddress`, and what :func:`holder_of` raises.
    """
    if holds_key(environ.get("PATH_INFO", "")) or holds_key(environ.get("QUERY_STRING", "")):
        raise KeyInAddress
    scheme, _, raw = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "bearer":
        raise KeyRefused
    return holder_of(raw.strip(), environ)


def holder_of(raw: str, environ: Mapping[str, Any] | None = None) -> KeyHolder:
    """Return whose key this is; wrong ones are counted by the address that they come from.

    Raise :class:`KeyRefused` or :class:`TooManyGuesses`. A key that counted before is not
    kept out by what others guess at the same address.
    """
    digest = digest_of(raw)
    return _holders.get(digest, partial(_look, raw, digest, environ))


def _look(raw: str, digest: str, environ: Mapping[str, Any] | None) -> KeyHolder:
    address = address_of(environ) if environ else ""
    if address and not _holders.has_known(digest):
        refuse_guesses(address)
    try:
        return _read(raw, digest)
    except KeyRefused:
        if address:
            count_guess(address)
        raise


def _read(raw: str, digest: str) -> KeyHolder:
    prefix = prefix_of(raw)
    if prefix is None:
        raise KeyRefused
    row = ApiKey.objects.filter(prefix=prefix).first()
    same = secrets.compare_digest(row.digest if row else _NO_DIGEST, digest)
    if row is None or not same or row.revoked_at:
        raise KeyRefused
    last_used.note(row.pk, row.last_used_at)
    return KeyHolder(
        key_id=row.pk,
        prefix=row.prefix,
        application_id=row.application_id,
        organization_id=row.organization_id,
        environment=row.environment,
    )
