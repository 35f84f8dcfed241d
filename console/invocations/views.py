"""What was called through a connection."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from connections.models import Connection
from console.http import SignedInRequest
from console.invocations.listing import PAGE_SIZE, FilterForm
from console.invocations.needing import need_of
from console.invocations.plotting import draw
from console.paging import cut


@require_safe
def connection_calls(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the calls of a connection in Development and Stage, and which permissions they need."""
    connection = get_object_or_404(
        Connection.objects.visible_to(request.user).created().select_related("application"), pk=pk
    )
    form = FilterForm(request.GET, connection=connection, user=request.user)
    page = cut(form.invocations(), request.GET, by="at", size=PAGE_SIZE)
    plot = draw(form.counted(), form.span)
    template = "invocations/connection_calls.html"
    if request.htmx and request.htmx.target == "table":
        return render(
            request,
            f"{template}#table",
            {"connection": connection, "form": form, "page": page, "plot": plot},
        )
    return render(
        request,
        template,
        {
            "connection": connection,
            "connector": connection.connector,
            "form": form,
            "page": page,
            "plot": plot,
            "need": need_of(connection, request.user),
            "days": settings.INVOCATION_DAYS,
        },
    )
