"""Export events as CSV or JSON lines, streamed in batches to keep memory use constant."""

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
#: A spreadsheet runs a cell that starts with one of these as a formula (OWASP, CSV injection).
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(events: EventQuerySet) -> Iterator[str]:
    """Yield the lines of a CSV file (RFC 4180), newest event first, each with its sentence."""
    writer = csv.writer(_Echo())
    yield writer.writerow([*COLUMNS, "sentence"])
    for event in newest_first(events):
        document = {**document_of(event), "details": json.dumps(event.details, sort_keys=True)}
        cells = [document[name] for name in COLUMNS]
        yield writer.writerow([defused(cell) for cell in [*cells, sentence(event)]])


def as_json_lines(events: EventQuerySet) -> Iterator[str]:
    """Yield one JSON document per line, newest event first, with every value that is hashed."""
    for event in newest_first(events):
        yield json.dumps(document_of(event), ensure_ascii=False) + "\n"


def newest_first(events: EventQuerySet) -> Iterator[Event]:
    """Read events in batches, so that a slow download keeps no database cursor open."""
    rows = events.order_by("-at", "-id")
    batch = list(rows[:BATCH])
    while batch:
        yield from batch
        last = batch[-1]
        batch = list(rows.filter(beyond("at", (last.at, last.pk), "lt"))[:BATCH])


def document_of(event: Event) -> dict[str, Any]:
    """Return an event with the names and formats of ``hash_chain.canonical``."""
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
    """Put an apostrophe before a cell that a spreadsheet would run as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


class _Echo:
    """A file whose ``write`` returns the line, for ``csv.writer``."""

    def write(self, line: str) -> str:
        return line
