"""The Activity page, the page of one event, and the export of events."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from console.accounts.http import SignedInRequest
from console.accounts.models import Organization
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.event_export import as_csv, as_json_lines
from console.audit.event_filters import PAGE_SIZE, EventFilterForm
from console.audit.log import Subject, record
from console.audit.models import DEPLOYMENT, Event
from console.audit.sentences import describe_event
from console.pagination import paginate
from console.saved_filters.filter_tabs import tabs_of

FORMATS = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "jsonl": (as_json_lines, "application/jsonl"),
}


@require_safe
def event_list(request: SignedInRequest) -> HttpResponse:
    """List events, newest first, narrowed by the filters in the query string."""
    form = EventFilterForm(request.GET, user=request.user)
    page = paginate(
        form.events().select_related("organization"), request.GET, by="at", size=PAGE_SIZE
    )
    template = "audit/event_list.html"
    if request.htmx and request.htmx.target == "table":
        template += "#table"
    return render(
        request,
        template,
        {
            "form": form,
            "page": page,
            "rows": [describe_event(event) for event in page.rows],
            "tags": form.tags(),
            "filter_tabs": tabs_of(request),
            "query": form.query(),
        },
    )


@require_safe
def event_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show one event with its number and its hash."""
    events = Event.objects.visible_to(request.user).select_related("organization")
    event = get_object_or_404(events, pk=pk)
    return render(request, "audit/event_detail.html", {"row": describe_event(event)})


@require_safe
def event_export(request: SignedInRequest, form: str) -> HttpResponseBase:
    """Export the filtered events as a file, and record the export."""
    if form not in FORMATS:
        raise Http404
    lines, content_type = FORMATS[form]
    filters = EventFilterForm(request.GET, user=request.user)
    events = filters.events()
    _record_export(request, form, filters)
    name = f"activity-{timezone.now():%Y-%m-%d}.{form}"
    return StreamingHttpResponse(
        lines(events),
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _record_export(request: SignedInRequest, form: str, filters: EventFilterForm) -> None:
    used = {tag.name: tag.value for tag in filters.tags()}
    with transaction.atomic():
        if request.user.is_superuser:
            home = Subject(type="audit", id=str(DEPLOYMENT), label="the deployment")
            record(AuditAction.AUDIT_EXPORTED, None, request.user, home, format=form, filters=used)
        for organization in Organization.objects.allowing(request.user, Action.READ_AUDIT).order_by(
            "pk"
        ):
            home = Subject(type="audit", id=str(organization.pk), label=organization.name)
            record(
                AuditAction.AUDIT_EXPORTED,
                organization,
                request.user,
                home,
                format=form,
                filters=used,
            )
