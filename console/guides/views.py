"""The guides as pages of the console."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.guides.guide_pages import get_guides


@require_safe
def guide_list(request: SignedInRequest) -> HttpResponse:
    """List the guides with their sections."""
    return render(request, "guides/guide_list.html", {"guides": get_guides().values()})


@require_safe
def guide_detail(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show one guide."""
    guide = get_guides().get(slug)
    if guide is None:
        raise Http404
    # The HTML of our own files, rendered without HTML in their Markdown.
    context = {"guide": guide, "html": mark_safe(guide.html)}  # noqa: S308
    return render(request, "guides/guide_detail.html", context)
