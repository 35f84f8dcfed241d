"""The hash that links each event to the previous one."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

FORM = "console.audit/1"
#: The previous hash of the first event of an organization.
GENESIS = "0" * 64


class Sealable(Protocol):
    """An event, as far as its hash is concerned."""

    organization_id: Any
    number: int
    at: datetime
    actor_id: Any
    actor_email: str
    action: str
    object_type: str
    object_id: str
    object_label: str
    details: dict[str, Any]
    previous_hash: str


def canonical(event: Sealable) -> str:
    """Return the one text of an event that its hash is made of.

    A JSON array (RFC 8259) of twelve values in this order: ``"console.audit/1"``,
    organization, number, at, actor, actor_email, action, object_type, object_id,
    object_label, details, previous_hash. Organization and actor are UUIDs in lower case with
    hyphens, or ``""``. ``at`` is UTC with six decimals: ``2026-11-24T08:00:00.000000Z``. Keys of
    objects are sorted by code point, no space stands between tokens, and everything beyond
    ASCII is escaped as ``\\uxxxx`` with lower-case digits, beyond U+FFFF as a surrogate pair.
    """
    return json.dumps(
        [
            FORM,
            _key(event.organization_id),
            event.number,
            moment(event.at),
            _key(event.actor_id),
            event.actor_email,
            event.action,
            event.object_type,
            event.object_id,
            event.object_label,
            event.details,
            event.previous_hash,
        ],
        sort_keys=True,
        separators=(",", ":"),
        allow_nan=False,
    )


def hash_of(event: Sealable) -> str:
    """Return the SHA-256 of :func:`canonical` in ASCII, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(event).encode("ascii")).hexdigest()


def moment(at: datetime) -> str:
    """Write a time as hashes and exports hold it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _key(key: uuid.UUID | None) -> str:
    return "" if key is None else str(key)
