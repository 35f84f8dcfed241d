"""The page that runs a function or workflow of an installed application."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods

from console.accounts.http import SignedInRequest
from console.accounts.policy import Action
from console.components.forms import InputForm
from console.distribution import installed_run
from console.publishing.models import Installation
from console.publishing.runs import NotRunnable, inputs


@require_http_methods(["GET", "HEAD", "POST"])
def installation_run(request: SignedInRequest, pk: uuid.UUID, link_name: str) -> HttpResponse:
    """Show the input form of a component; a POST runs it for this person."""
    rows = Installation.objects.allowing(request.user, Action.USE_INSTALLED).select_related(
        "application__organization", "organization", "release"
    )
    installation = get_object_or_404(rows, pk=pk)
    part = installation.release.manifest.components.get(link_name)
    if part is None or part.kind not in ("function", "workflow"):
        raise Http404
    posted = request.method == "POST"
    form = InputForm(
        request.POST if posted else None, inputs=inputs(installation.release.manifest, part)
    )
    result = None
    if posted and form.is_valid():
        try:
            result = installed_run.run(installation, link_name, request.user, form.given)
        except NotRunnable:
            form.add_error(
                None,
                f"The license of {installation} has ended, or it was updated in the meantime. "
                "Nothing was run.",
            )
    template = "distribution/installation_run.html"
    if request.htmx and request.htmx.target == "run":
        template += "#run"
    context = {"installation": installation, "part": part, "run_form": form, "result": result}
    return render(request, template, context, status=422 if posted and not result else 200)
