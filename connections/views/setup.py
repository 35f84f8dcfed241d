"""Connection wizard: one step per page; each answer is saved in the draft connection."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connections.models import Connection
from connections.models.connection import ConnectionQuerySet
from connections.setup import drafting
from connections.setup.drafting import STEPS, steps_of
from connections.setup.forms import (
    ConnectionForm,
    EnvironmentsForm,
    LevelForm,
    NameForm,
    PermissionsForm,
)
from connectors.definitions.auth_type import AuthType
from connectors.definitions.registry import get_connectors
from console.accounts.http import SeeOther, SignedInRequest
from console.choices import Level
from console.optimistic_lock import EditConflict, fingerprint

FORMS: dict[str, type[ConnectionForm]] = {
    form.step: form for form in (NameForm, LevelForm, PermissionsForm, EnvironmentsForm)
}
#: The step that fixes an error of the final validation. All other fields are in the first step.
STEP_OF_FIELD = {"scopes": "permissions"} | {step: step for step in STEPS}


@require_http_methods(["GET", "HEAD", "POST"])
def connection_setup(request: SignedInRequest, pk: uuid.UUID, step: str) -> HttpResponse:
    """Show one step; a POST saves the answer and goes to the next or the previous step."""
    connection = get_object_or_404(_own(request), pk=pk)
    steps = steps_of(connection)
    if step not in steps:
        raise Http404
    if not connection.is_draft:  # another tab has created it
        return SeeOther(reverse("connection_authorize", args=[connection.pk]))
    kwargs: dict[str, Any] = {"instance": connection}
    if step == "name":
        kwargs["user"] = request.user
    form = FORMS[step](request.POST if request.method == "POST" else None, **kwargs)
    back = "back" in request.POST
    try:
        if request.method == "POST" and form.is_valid():
            form.save(answered=not back)
    except EditConflict as changed:
        return _page(request, connection, step, form, changed=changed)
    if back:
        return SeeOther(_url(connection, _neighbor(steps, step, -1)))
    if request.method == "POST" and form.is_valid():
        connection = get_object_or_404(_own(request), pk=pk)
        following = _neighbor(steps_of(connection), step, +1)
        if following != step:
            return SeeOther(_url(connection, following))
        return _create(request, connection, form)
    return _page(request, connection, step, form)


@require_POST
def draft_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a draft."""
    get_object_or_404(_own(request).drafts(), pk=pk).delete()
    return SeeOther(reverse("connector_list"))


def summary(connection: Connection) -> str:
    """Describe the choices in one sentence."""
    parts = [f"connects {connection.application} to {connection.connector.name}"]
    if connection.auth_type == AuthType.OAUTH2:
        count = len(connection.scopes)
        parts.append(
            "with All Actions"
            if connection.all_actions
            else f"with {count} permission{'' if count == 1 else 's'}"
        )
    parts.append(
        "authorized by each person with their own account"
        if connection.level == Level.LOGGED_IN_USER
        else "authorized once by an administrator"
    )
    return ", ".join(parts) + "."


def _create(request: SignedInRequest, connection: Connection, form: ConnectionForm) -> HttpResponse:
    try:
        connection = drafting.create(connection, request.user)
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        step = STEP_OF_FIELD.get(field, "name")
        form.add_error(None, forms.ValidationError(sentences[0], params={"step": step}))
        return _page(request, connection, "environments", form, fix_step=step)
    return SeeOther(reverse("connection_authorize", args=[connection.pk]))


def _page(
    request: SignedInRequest,
    connection: Connection,
    step: str,
    form: ConnectionForm,
    fix_step: str = "",
    changed: EditConflict | None = None,
) -> HttpResponse:
    # A bound form has changed its instance, so load the saved row for the fingerprint.
    saved = get_object_or_404(_own(request), pk=connection.pk) if form.is_bound else connection
    steps = steps_of(connection)
    number = steps.index(step)
    return render(
        request,
        f"connections/setup_{step}.html",
        {
            "connection": connection,
            "connector": connection.connector,
            "form": form,
            "seen": fingerprint(form.display_values(saved)),
            "differences": changed.differences if changed else [],
            "step": step,
            "progress": [
                {"label": STEPS[name], "done": place < number, "current": name == step}
                for place, name in enumerate(steps)
            ],
            "number": number + 1,
            "fix_step": fix_step,
            "summary": summary(connection),
        },
        status=409 if changed else 422 if form.is_bound else 200,
    )


def _own(request: SignedInRequest) -> ConnectionQuerySet:
    return (
        Connection.objects.visible_to(request.user)
        .filter(created_by=request.user, connector_slug__in=get_connectors())
        .select_related("application__organization")
    )


def _neighbor(steps: list[str], step: str, distance: int) -> str:
    return steps[max(0, min(len(steps) - 1, steps.index(step) + distance))]


def _url(connection: Connection, step: str) -> str:
    return reverse("connection_setup", args=[connection.pk, step])
