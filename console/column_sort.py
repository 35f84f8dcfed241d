"""Column heads by which people sort a list: ``?sort=name``, or ``?sort=-name`` for descending.

A list offers a column only if an index holds it together with ``id``, because pages are found by
their first row (:mod:`console.pagination`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.http import QueryDict

from console.pagination import Keep, Page, Row, paginate, without_page

#: The query parameter.
SORT = "sort"


@dataclass(frozen=True, kw_only=True)
class SortColumn:
    """A column of a list; ``by`` is a model field or an annotation, and empty if not sortable."""

    name: str
    label: str
    by: str = ""
    #: The direction of the first press: newest first for times.
    is_descending: bool = False


@dataclass(frozen=True, kw_only=True)
class ColumnHead:
    """The head of a column; ``aria_sort`` is empty unless the list is sorted by it."""

    name: str
    label: str
    url: str
    aria_sort: str


class ColumnSort:
    """The columns of a list and the order that the query string asks for."""

    def __init__(self, columns: Sequence[SortColumn], params: QueryDict, *, default: str) -> None:
        self._columns, self._params = columns, params
        sortable = {column.name: column for column in columns if column.by}
        asked = params.get(SORT, "")
        name = asked.removeprefix("-")
        self._default = default
        self._order = asked if name in sortable else default
        self.column = sortable[self._order.removeprefix("-")]
        self.is_descending = self._order.startswith("-")

    def page(self, rows: QuerySet[Row], size: int, keep: Keep[Row] | None = None) -> Page[Row]:
        """Return the page of the list that the query string names."""
        by, ascending = self.column.by, not self.is_descending
        return paginate(rows, self._params, by=by, size=size, ascending=ascending, keep=keep)

    @property
    def asked(self) -> str:
        """Return the value of the query parameter, or ``""`` for the default order."""
        return "" if self._order == self._default else self._order

    def heads(self) -> list[ColumnHead]:
        """Return the heads of all columns; a press on the current one turns the order around."""
        return [self._head(column) for column in self._columns]

    def _head(self, column: SortColumn) -> ColumnHead:
        is_current = column == self.column
        descending = not self.is_descending if is_current else column.is_descending
        direction = "descending" if self.is_descending else "ascending"
        return ColumnHead(
            name=column.name,
            label=column.label,
            url=self._url(f"{'-' if descending else ''}{column.name}") if column.by else "",
            aria_sort=direction if is_current else "",
        )

    def _url(self, order: str) -> str:
        query = without_page(self._params, SORT)
        if order != self._default:
            query[SORT] = order
        return f"?{query.urlencode()}"
