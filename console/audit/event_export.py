"""Events as files, line by line, so that a million of them need no more memory than one."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any

from console.audit.hash_chain import moment
from console.audit.models import Event, EventQuerySet
from console.audit.sentences import sentence
from console.pagination import beyond

BATCH = 500
COLUMNS = (
    "organization",
    "number",
    "at",
    "actor",
    "actor_email",
    "action",
    "object_type",
    "object_id",
    "object_label",
    "details",
    "previous_hash",
    "hash",
)
#: Spreadsheets take a cell that begins so for a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(events: EventQuerySet) -> Iterator[str]:
    """Give the lines of a CSV file (RFC 4180), newest first, with a sentence in each."""
    writer = csv.writer(_Echo())
    yield writer.writerow([*COLUMNS, "sentence"])
    for event in newest_first(events):
        document = {**document_of(event), "details": json.dumps(event.details, sort_keys=True)}
        cells = [document[name] for name in COLUMNS]
        yield writer.writerow([defused(cell) for cell in [*cells, sentence(event)]])


def as_json_lines(events: EventQuerySet) -> Iterator[str]:
    """Give one JSON document a line, newest first: all that the hash is made of."""
    for event in newest_first(events):
        yield json.dumps(document_of(event), ensure_ascii=False) + "\n"


def newest_first(events: EventQuerySet) -> Iterator[Event]:
    """Walk them in batches: no cursor stays open while a browser takes its time."""
    rows = events.order_by("-at", "-id")
    batch = list(rows[:BATCH])
    while batch:
        yield from batch
        last = batch[-1]
        batch = list(rows.filter(beyond("at", (last.at, last.pk), "lt"))[:BATCH])


def document_of(event: Event) -> dict[str, Any]:
    """Return an event by the names and in the forms of ``chaining.canonical``."""
    return {
        "organization": str(event.organization_id or ""),
        "number": event.number,
        "at": moment(event.at),
        "actor": str(event.actor_id or ""),
        "actor_email": event.actor_email,
        "action": event.action,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "object_label": event.object_label,
        "details": event.details,
        "previous_hash": event.previous_hash,
        "hash": event.hash,
    }


def defused(cell: Any) -> Any:
    """Put an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


class _Echo:
    """A file that gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line
