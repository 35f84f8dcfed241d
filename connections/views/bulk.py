"""Bulk actions on connections: the preview, the progress, and the queue to authorize."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.bulk.bulk_execution import continue_for_a_moment
from connections.bulk.bulk_preview import BulkPreview, TagsForm, create_run
from connections.models import Connection
from connections.models.bulk_run import BulkAction, BulkItem, BulkRun
from connections.setup.connection_filters import with_places
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action

#: How many results the page of a bulk action shows; failures come first.
SHOWN = 100
#: How many rows of each kind the preview shows.
PREVIEWED = 100


@require_http_methods(["GET", "HEAD", "POST"])
def bulk_preview(request: SignedInRequest) -> HttpResponse:
    """Show which connections a bulk action changes; a POST starts it."""
    if not request.user.may(Action.MANAGE_CONNECTIONS):
        raise PermissionDenied
    params = request.POST if request.method == "POST" else request.GET
    name = params.get("action", "")
    if name not in BulkAction.values:
        messages.error(request, "Choose what to do with the connections.")
        return SeeOther(reverse("connection_list"))
    action = BulkAction(name)
    preview = BulkPreview.of(action, params, request.user)
    has_tags = action in (BulkAction.TAG, BulkAction.UNTAG)
    form = TagsForm(params if request.method == "POST" else None) if has_tags else None
    if request.method == "POST" and (form is None or form.is_valid()):
        tags = form.cleaned_data["tags"] if form else []
        if run := create_run(preview, tags, request.user):
            continue_for_a_moment(run)
            return SeeOther(run.get_absolute_url())
    return render(
        request,
        "connections/bulk_preview.html",
        {
            "preview": preview,
            "form": form,
            "shown": PREVIEWED,
            "is_danger": action in (BulkAction.DISABLE, BulkAction.DELETE),
        },
        status=422 if request.method == "POST" else 200,
    )


@require_safe
def bulk_run(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show how far a bulk action is, and the results."""
    return _progress(request, _run(request, pk))


@require_POST
def bulk_continue(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Work on a bulk action for a moment; or, in the queue to authorize, skip a connection."""
    run = _run(request, pk)
    if run.action == BulkAction.AUTHORIZE:
        _skip(run, request.POST.get("skip", ""))
    else:
        continue_for_a_moment(run)
    return _progress(request, run) if request.htmx else SeeOther(run.get_absolute_url())


def _run(request: SignedInRequest, pk: uuid.UUID) -> BulkRun:
    return get_object_or_404(BulkRun.objects.select_related("user"), pk=pk, user=request.user)


def _skip(run: BulkRun, key: str) -> None:
    try:
        rows = run.items.filter(connection=uuid.UUID(key), state=BulkItem.State.WAITING)
    except (ValueError, ValidationError):
        return
    rows.update(state=BulkItem.State.SKIPPED, message="Skipped.")


def _progress(request: SignedInRequest, run: BulkRun) -> HttpResponse:
    template = "connections/bulk_run.html"
    if run.action == BulkAction.AUTHORIZE:
        return render(request, "connections/bulk_authorize.html", _queue(request, run))
    states = BulkItem.State
    counts = run.items.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=states.DONE)),
        failed=Count("pk", filter=Q(state=states.FAILED)),
        skipped=Count("pk", filter=Q(state=states.SKIPPED)),
        waiting=Count("pk", filter=Q(state=states.WAITING)),
    )
    items = [
        item
        for state in (states.FAILED, states.SKIPPED, states.DONE, states.WAITING)
        for item in run.items.filter(state=state)[:SHOWN]
    ][:SHOWN]
    context = {
        "run": run,
        "items": items,
        "counts": counts,
        "answered": counts["total"] - counts["waiting"],
        "is_finished": counts["waiting"] == 0,
    }
    return render(request, f"{template}#progress" if request.htmx else template, context)


def _queue(request: SignedInRequest, run: BulkRun) -> dict[str, object]:
    """Return the queue to authorize, with what became authorized in the meantime."""
    items = list(run.items.all())
    rows = Connection.objects.visible_to(request.user).created().select_related("application")
    found = list(rows.filter(pk__in=[item.connection_id for item in items]))
    with_places(found, request.user)
    waiting, finished = [], []
    by_key = {row.pk: row for row in found}
    for item in items:
        row = by_key.get(item.connection_id) if item.connection_id else None
        places = vars(row)["places"] if row else []
        is_done = bool(places) and all(a and a.display.works for _, a in places)
        if row and not is_done and item.state == BulkItem.State.WAITING:
            waiting.append(row)
        else:
            finished.append((item, row, is_done))
    return {"run": run, "waiting": waiting, "finished": finished, "total": len(items)}
