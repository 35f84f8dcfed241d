"""The page of what needs a person."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.accounts.policy import Action
from console.health.attention import MOST
from console.health.forms import FilterForm
from console.health.unreadable import unreadable_for
from console.http import SignedInRequest


@require_safe
def health_list(request: SignedInRequest) -> HttpResponse:
    """Show every authorization that needs somebody, what breaks first on top."""
    if not request.user.may(Action.USE_INSTALLED):
        raise PermissionDenied
    form = FilterForm(request.GET, user=request.user)
    rows = form.needs()
    template = "health/health_list.html"
    if request.htmx and request.htmx.target == "table":
        template += "#table"
    return render(
        request,
        template,
        {
            "form": form,
            "rows": rows,
            "is_cut": len(rows) == MOST,
            "unreadable": unreadable_for(request.user),
        },
    )
