"""The search page, and the results in the palette."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.search.commands import find_actions, find_pages
from console.search.row_search import FINDERS
from console.search.search_result import SearchGroup, words_of
from console.search.text_search import find_texts

#: How many results of each kind are shown at first: on the page, and in the palette.
FIRST = 6
FIRST_IN_PALETTE = 4
#: Shorter queries would match nearly everything.
MIN_LENGTH = 2


@require_safe
def search(request: SignedInRequest) -> HttpResponse:
    """Find what the person may see, by kind; ``?kind=`` shows one kind in full."""
    query = request.GET.get("q", "")
    words = words_of(query)
    in_palette = request.htmx and request.htmx.target == "palette-results"
    groups = [
        SearchGroup(kind="pages", label="Pages and settings", results=find_pages(request, words))
    ]
    if in_palette:
        actions = find_actions(request, words)
        groups.append(SearchGroup(kind="actions", label="Actions", results=actions))
    if len("".join(words)) >= MIN_LENGTH:
        rows = [find(request, words) for find in FINDERS]
        groups = [*rows, *groups, find_texts(words)] if words else groups
    elif not in_palette:
        groups = []
    found = [group for group in groups if group.results]
    if in_palette:
        limit = FIRST_IN_PALETTE if words else len(groups[0].results) + len(groups[-1].results)
        context = {"groups": found, "limit": limit, "query": query}
        return render(request, "search/_palette_results.html", context)
    kinds = {group.kind: group for group in found}
    chosen = kinds.get(request.GET.get("kind", ""))
    return render(
        request,
        "search/search.html",
        {
            "query": " ".join(query.replace("\0", "").split())[:100],
            "has_words": bool(groups),
            "groups": [chosen] if chosen else found,
            "all_groups": found,
            "chosen": chosen,
            "limit": len(chosen.results) if chosen else FIRST,
        },
    )
