"""The saved filters of a list as tabs, and the form that saves the current one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from console.accounts.http import SignedInRequest
from console.pagination import without_page
from console.saved_filters.models import MOST_FILTERS, SavedFilter

#: The lists whose filters can be saved.
LISTS = ("connection_list", "component_list", "event_list")


@dataclass(frozen=True, kw_only=True)
class FilterTabs:
    """The saved filters of the list on a page. ``query`` is the current filter."""

    path: str
    query: str
    saved: Sequence[SavedFilter]

    @property
    def is_saved(self) -> bool:
        return any(row.query == self.query for row in self.saved)

    @property
    def is_full(self) -> bool:
        return len(self.saved) >= MOST_FILTERS


def tabs_of(request: SignedInRequest) -> FilterTabs | None:
    """Return the tabs for the page of a request; none if no organization is active."""
    if request.organization is None:
        return None
    rows = SavedFilter.objects.filter(
        user=request.user, organization=request.organization, path=request.path_info
    )
    return FilterTabs(path=request.path_info, query=normalized_query(request.GET), saved=list(rows))


def normalized_query(params: QueryDict) -> str:
    """Return a filter as text: without empty fields and the position of the page, sorted."""
    kept = QueryDict(mutable=True)
    for name, values in sorted(without_page(params).lists()):
        if filled := [value.replace("\0", "") for value in values if value.strip("\0 ")]:
            kept.setlist(name, filled)
    return kept.urlencode()
