"""The wizard: one question a page, every answer kept in the draft row."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connections import drafting
from connections.forms import EnvironmentsForm, LevelForm, NameForm, PermissionsForm
from connections.models import Connection
from connections.standing import Level
from connectors.registry import get_connectors
from console.http import SeeOther, SignedInRequest

STEPS: dict[str, str] = {
    "name": "Name",
    "level": "Who authorizes",
    "permissions": "Permissions",
    "environments": "Environments",
}
FORMS: dict[str, type[forms.ModelForm]] = {
    "name": NameForm,
    "level": LevelForm,
    "permissions": PermissionsForm,
    "environments": EnvironmentsForm,
}
#: Where a fault that shows only at the end is mended; all others on the first step.
STEP_OF_FIELD = {"scopes": "permissions"}


@require_http_methods(["GET", "HEAD", "POST"])
def connection_setup(request: SignedInRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Ask one question; a POST keeps the answer and goes on to the next one."""
    connection = get_object_or_404(_own(request), pk=pk)
    steps = steps_of(connection)
    if step not in steps:
        raise Http404
    if not connection.is_draft:  # another tab was faster
        return SeeOther(reverse("connection_authorize", args=[connection.pk]))
    kwargs: dict[str, Any] = {"instance": connection}
    if step == "name":
        kwargs["user"] = request.user
    form = FORMS[step](request.POST if request.method == "POST" else None, **kwargs)
    if "back" in request.POST:
        if form.is_valid():
            form.save()
        return SeeOther(_url(connection, _neighbour(steps, step, -1)))
    if request.method == "POST" and form.is_valid():
        form.save()
        connection = get_object_or_404(_own(request), pk=pk)
        following = _neighbour(steps_of(connection), step, +1)
        if following != step:
            return SeeOther(_url(connection, following))
        return _create(request, connection, form)
    return _page(request, connection, step, form)


@require_POST
def draft_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Throw a draft away."""
    get_object_or_404(_own(request).drafts(), pk=pk).delete()
    return SeeOther(reverse("connector_list"))


def steps_of(connection: Connection) -> list[str]:
    """Name the questions that this connection has: permissions are for OAuth 2 alone."""
    return [step for step in STEPS if step != "permissions" or connection.auth_type == "oauth2"]


def summary(connection: Connection) -> str:
    """Repeat the choices in one sentence."""
    parts = [f"connects {connection.application} to {connection.connector.name}"]
    if connection.auth_type == "oauth2":
        chosen = len(connection.scopes)
        parts.append(
            "with All Actions"
            if connection.all_actions
            else f"with {chosen} permission{'' if chosen == 1 else 's'}"
        )
    parts.append(
        "authorized by each person for himself"
        if connection.level == Level.LOGGED_IN_USER
        else "authorized once by an administrator"
    )
    return ", ".join(parts) + "."


def _create(
    request: SignedInRequest, connection: Connection, form: forms.ModelForm
) -> HttpResponse:
    try:
        connection = drafting.create(connection, request.user)
    except ValidationError as faults:
        field, sentences = next(iter(faults.message_dict.items()))
        step = STEP_OF_FIELD.get(field, "name")
        form.add_error(None, forms.ValidationError(sentences[0], params={"step": step}))
        return _page(request, connection, "environments", form, mend=step)
    return SeeOther(reverse("connection_authorize", args=[connection.pk]))


def _page(
    request: SignedInRequest,
    connection: Connection,
    step: str,
    form: forms.ModelForm,
    mend: str = "",
) -> HttpResponse:
    steps = steps_of(connection)
    number = steps.index(step)
    return render(
        request,
        f"connections/setup_{step}.html",
        {
            "connection": connection,
            "connector": connection.connector,
            "form": form,
            "step": step,
            "progress": [
                {"label": STEPS[name], "done": place < number, "current": name == step}
                for place, name in enumerate(steps)
            ],
            "number": number + 1,
            "mend": mend,
            "summary": summary(connection),
        },
        status=422 if form.is_bound else 200,
    )


def _own(request: SignedInRequest):
    return (
        Connection.objects.visible_to(request.user)
        .filter(created_by=request.user, connector_slug__in=get_connectors())
        .select_related("application__organization")
    )


def _neighbour(steps: list[str], step: str, distance: int) -> str:
    return steps[max(0, min(len(steps) - 1, steps.index(step) + distance))]


def _url(connection: Connection, step: str) -> str:
    return reverse("connection_setup", args=[connection.pk, step])
