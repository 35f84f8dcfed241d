"""The page that lists problems with authorizations."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.accounts.policy import Action
from console.health.not_authorized import connections_to_authorize, installed_to_authorize
from console.health.problem_filters import ProblemFilterForm
from console.health.problems import MOST
from console.health.unreadable_secrets import unreadable_for


@require_safe
def health_list(request: SignedInRequest) -> HttpResponse:
    """List the problems that the person can fix, the most urgent first."""
    if not request.user.may(Action.USE_INSTALLED):
        raise PermissionDenied
    user = request.user
    form = ProblemFilterForm(request.GET, user=user)
    rows = form.problems()
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
            "unreadable": unreadable_for(user),
            "not_authorized": connections_to_authorize(user)[:MOST].count(),
            "installed_not_authorized": installed_to_authorize(user)[:MOST].count(),
            "most": MOST,
        },
    )
