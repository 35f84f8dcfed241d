"""Pages by keyset: found by where they begin, not by counting rows.

The thousandth page costs what the first one does. Rows have a time and an ``id``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import QueryDict

Row = TypeVar("Row", bound=Model)
Place = tuple[datetime, Any]


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, newest first, and the addresses of the neighboring pages (or nothing)."""

    rows: list[Row]
    newer: str
    older: str


def cut(rows: QuerySet[Row], params: QueryDict, *, by: str, size: int) -> Page[Row]:
    """Cut one page out of a list that is ordered by the time ``by`` and ``id``.

    ``params`` is the query of the page's address: ``before`` or ``after`` say where the
    page begins, and the rest of it stays in the addresses of its neighbors.
    """
    towards_newer = _position(params.get("after", ""), rows.model)
    place = towards_newer or _position(params.get("before", ""), rows.model)
    if towards_newer:
        rows = rows.filter(beyond(by, towards_newer, "gt")).order_by(by, "id")
    elif place:
        rows = rows.filter(beyond(by, place, "lt")).order_by(f"-{by}", "-id")
    else:
        rows = rows.order_by(f"-{by}", "-id")
    found = list(rows[: size + 1])
    more, found = len(found) > size, found[:size]
    if towards_newer:
        found.reverse()
    has_newer = more if towards_newer else place is not None
    has_older = True if towards_newer else more
    return Page(
        rows=found,
        newer=_address(params, "after", _place(found[0], by)) if found and has_newer else "",
        older=_address(params, "before", _place(found[-1], by)) if found and has_older else "",
    )


def beyond(by: str, place: Place, comparison: str) -> Q:
    """Match what lies on one side of a place."""
    time, key = place
    # The outer bound alone lets SQLite begin in the middle of the index.
    return Q(**{f"{by}__{comparison}e": time}) & (
        Q(**{f"{by}__{comparison}": time}) | Q(**{f"id__{comparison}": key})
    )


def _place(row: Any, by: str) -> Place:
    return getattr(row, by), row.pk


def _address(params: QueryDict, side: str, place: Place) -> str:
    query = params.copy()
    for name in ("before", "after"):
        query.pop(name, None)
    query[side] = f"{place[0].isoformat()}_{place[1]}"
    return f"?{query.urlencode()}"


def _position(cursor: str, model: type[Model]) -> Place | None:
    """Read where a page begins; what was tampered with means the first page."""
    try:
        time, key = cursor.split("_")
        return datetime.fromisoformat(time).astimezone(UTC), model._meta.pk.to_python(key)
    except (ValueError, OverflowError, ValidationError):
        return None
