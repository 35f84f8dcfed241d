from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta, timezone

from console.audit.hash_chain import canonical, hash_of
from console.audit.models import Event

KEY = uuid.UUID("0190b8a5-0000-7000-8000-00000000000A")
TEXT = (
    '["console.audit/1","0190b8a5-0000-7000-8000-00000000000a",7,"2026-11-24T08:00:00.000001Z",'
    '"","system","connection.created","connection","k","Gr\\u00f6\\u00dfe \\ud83d\\ude00",'
    '{"a":["x",1],"b":true},"' + "0" * 64 + '"]'
)


def event(**changed) -> Event:
    fields = {
        "organization_id": KEY,
        "number": 7,
        "at": datetime(2026, 11, 24, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=1))),
        "actor_email": "system",
        "action": "connection.created",
        "object_type": "connection",
        "object_id": "k",
        "object_label": "Größe 😀",
        "details": {"b": True, "a": ["x", 1]},
        "previous_hash": "0" * 64,
    }
    return Event(**fields | changed)


def test_its_text_is_what_the_docstring_says():
    assert canonical(event()) == TEXT
    assert hash_of(event()) == hashlib.sha256(TEXT.encode()).hexdigest()


def test_every_field_counts():
    other = {
        "organization_id": None,
        "number": 8,
        "at": datetime(2026, 11, 24, tzinfo=UTC),
        "actor_id": KEY,
        "actor_email": "a@b.example",
        "action": "connection.deleted",
        "object_type": "component",
        "object_id": "l",
        "object_label": "Other",
        "details": {},
        "previous_hash": "1" * 64,
    }
    hashes = {hash_of(event(**{name: value})) for name, value in other.items()}
    assert len(hashes | {hash_of(event())}) == len(other) + 1
    fields = {field.attname for field in Event._meta.concrete_fields}
    assert fields - other.keys() == {"id", "hash"}


def test_it_survives_the_database(studio, tell):
    written = tell(studio, "Größe 😀", z=1, a=["é", {"y": 2, "b": None}], yes=True)
    assert hash_of(Event.objects.get(pk=written.pk)) == written.hash
