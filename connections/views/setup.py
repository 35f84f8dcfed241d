"""Connection wizard: one step per page; each answer is saved in the draft connection."""

from __future__ import annotations

import uuid
from typing import Any

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
from console.accounts.http import SeeOther, SignedInRequest, leave_page
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
        return leave_page(request, reverse("connection_authorize", args=[connection.pk]))
    kwargs: dict[str, Any] = {"instance": connection}
    if step == "name":
        kwargs["user"] = request.user
    form = FORMS[step](request.POST if request.method == "POST" else None, **kwargs)
    back = "back" in request.POST
    try:
        if request.method == "POST" and form.is_valid():
            form.save(answered=not back)
    except EditConflict as changed:
        return step_page(request, connection, step, form, changed=changed)
    if back:
        return SeeOther(_url(connection, _neighbor(steps, step, -1)))
    if request.method == "POST" and form.is_valid():
        return go_on(request, get_object_or_404(_own(request), pk=pk), step, form)
    return step_page(request, connection, step, form)


def go_on(
    request: SignedInRequest, connection: Connection, step: str, form: ConnectionForm
) -> HttpResponse:
    """Go on after a completed step, or create the connection: after the last step, or at once.

    The first step has a button that creates it with defaults, and buttons that name a step.
    """
    if step == "name" and "defaults" in request.POST:
        return _create(request, drafting.accept_defaults(connection), step, form)
    steps = steps_of(connection)
    chosen = request.POST.get("to", step)
    following = chosen if chosen in steps and chosen != step else _neighbor(steps, step, +1)
    if following != step:
        return SeeOther(_url(connection, following))
    return _create(request, connection, step, form)


@require_POST
def draft_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a draft."""
    get_object_or_404(_own(request).drafts(), pk=pk).delete()
    return SeeOther(reverse("connector_list"))


def summary(connection: Connection) -> str:
    """Describe the choices in one sentence."""
    parts = [f"connects {connection.application} to {connection.connector.name}"]
    if connection.auth_type == AuthType.OAUTH2:
        parts.append(f"with {drafting.permissions_of(connection)}")
    parts.append(
        "authorized by each person with their own account"
        if connection.level == Level.LOGGED_IN_USER
        else "authorized once by an administrator"
    )
    return ", ".join(parts) + "."


def _create(
    request: SignedInRequest, connection: Connection, step: str, form: ConnectionForm
) -> HttpResponse:
    try:
        connection = drafting.create(connection, request.user)
    except ValidationError as error:
        field, sentences = next(iter(error.message_dict.items()))
        fix_step = STEP_OF_FIELD.get(field, "name")
        form.add_error(None, sentences[0])
        return step_page(request, connection, step, form, fix_step=fix_step)
    return leave_page(request, reverse("connection_authorize", args=[connection.pk]))


def step_page(
    request: SignedInRequest,
    connection: Connection,
    step: str,
    form: ConnectionForm,
    fix_step: str = "",
    changed: EditConflict | None = None,
) -> HttpResponse:
    """Render a step of a draft, which the first step need not have saved yet."""
    is_saved = not connection._state.adding
    # A bound form has changed its instance, so load the saved row for the fingerprint.
    reload = form.is_bound and is_saved
    saved = get_object_or_404(_own(request), pk=connection.pk) if reload else connection
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
            "is_saved": is_saved,
            "close_url": reverse("connection_list" if is_saved else "connector_list"),
            "settings": drafting.settings_of(saved),
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
