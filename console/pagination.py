"""Keyset pagination: a page is found by the row it starts after, not by counting rows.

The thousandth page costs as much as the first. Rows are ordered by one column and ``id``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import CharField, Model, Q, QuerySet
from django.http import QueryDict

Row = TypeVar("Row", bound=Model)
#: The value of the ordering column and the primary key of a row.
Position = tuple[Any, Any]
#: The query parameters that hold a position.
PAGE_PARAMS = ("before", "after")
#: How many times as many rows each further batch fetches, if ``keep`` dropped too many.
BATCH_GROWTH = 4
#: Drops rows of a batch, and keeps the order of the others.
Keep = Callable[[list[Row]], list[Row]]


@dataclass(frozen=True, kw_only=True)
class Page(Generic[Row]):
    """Some rows, and the URLs of the previous and the next page (or ``""``)."""

    rows: list[Row]
    previous: str
    next: str


def paginate(
    rows: QuerySet[Row],
    params: QueryDict,
    *,
    by: str,
    size: int,
    ascending: bool = False,
    keep: Keep[Row] | None = None,
) -> Page[Row]:
    """Return one page of a list that is ordered by ``by``, a column or annotation, and ``id``.

    ``params`` is the query string of the page: ``before`` or ``after`` is the position where
    the page starts, and all other parameters stay in the URLs of the neighboring pages.
    ``keep`` drops rows by a condition that is too costly for all rows at once.
    """
    forward, backward = ("after", "before") if ascending else ("before", "after")
    end = _position(params.get(backward, ""), rows.model, by)
    start = end or _position(params.get(forward, ""), rows.model, by)
    found = _fetch(rows, by, start, backward if end else forward, size + 1, keep or list)
    has_more, found = len(found) > size, found[:size]
    if end:
        found.reverse()
    has_previous = has_more if end else start is not None
    has_next = True if end else has_more
    return Page(
        rows=found,
        previous=_url(params, backward, found[0], by) if found and has_previous else "",
        next=_url(params, forward, found[-1], by) if found and has_next else "",
    )


def _fetch(
    rows: QuerySet[Row],
    by: str,
    position: Position | None,
    towards: str,
    number: int,
    keep: Keep[Row],
) -> list[Row]:
    """Return so many rows from a position on, in batches that grow while too few are kept."""
    comparison, sign = ("gt", "") if towards == "after" else ("lt", "-")
    ordered = rows.order_by(f"{sign}{by}", f"{sign}id")
    found: list[Row] = []
    size = number
    while True:
        further = ordered.filter(beyond(by, position, comparison)) if position else ordered
        batch = list(further[:size])
        found += keep(batch)
        if len(found) >= number or len(batch) < size:
            return found[:number]
        position = getattr(batch[-1], by), batch[-1].pk
        size *= BATCH_GROWTH


def beyond(by: str, position: Position, comparison: str) -> Q:
    """Match the rows on one side of a position; ``comparison`` is ``lt`` or ``gt``."""
    value, key = position
    # The outer condition lets SQLite start in the middle of the index.
    return Q(**{f"{by}__{comparison}e": value}) & (
        Q(**{f"{by}__{comparison}": value}) | Q(**{f"id__{comparison}": key})
    )


def without_page(params: QueryDict, *names: str) -> QueryDict:
    """Copy a query string without the position of the page, and without ``names``."""
    rest = params.copy()
    for name in (*PAGE_PARAMS, *names):
        rest.pop(name, None)
    return rest


def _url(params: QueryDict, side: str, row: Model, by: str) -> str:
    value = getattr(row, by)
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    query = without_page(params)
    query[side] = f"{text}_{row.pk}"
    return f"?{query.urlencode()}"


def _field(model: type[Model], by: str) -> Any:
    try:
        return model._meta.get_field(by)
    except FieldDoesNotExist:
        return CharField()  # an annotation, such as a name in lower case


def _position(cursor: str, model: type[Model], by: str) -> Position | None:
    """Parse a position; one that was tampered with means the first page."""
    text, _, key = cursor.replace("\0", "").rpartition("_")
    try:
        value: Any = _field(model, by).to_python(text)
        if isinstance(value, datetime):
            value = datetime.fromisoformat(text).astimezone(UTC)
        return (value, model._meta.pk.to_python(key)) if text and key else None
    except (ValueError, OverflowError, ValidationError):
        return None
