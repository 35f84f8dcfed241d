"""List, create, edit, check, run and delete components."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from copy import copy
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.authorizations.connection_state import ConnectionState
from connections.models import Connection
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import ComponentKind, Environment
from console.column_sort import ColumnSort
from console.components import saving
from console.components.component_filters import COLUMNS, ComponentFilterForm
from console.components.definitions import STARTERS
from console.components.forms import ComponentForm, DefinitionForm, RunForm, with_line_feeds
from console.components.json_source import JsonFaults
from console.components.models import Component
from console.publishing import runs
from console.publishing.environment_state import release_in_stage, states_across
from console.publishing.manifest import (
    ComponentSnapshot,
    Manifest,
    canonical_json,
    development_manifest,
)
from console.publishing.models import Release
from console.publishing.run_results import shown
from console.saved_filters.filter_tabs import tabs_of

PAGE_SIZE = 30


@require_safe
def component_list(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the components of an application sorted by a column."""
    application = get_object_or_404(
        Application.objects.allowing(request.user, Action.MANAGE_COMPONENTS), pk=pk
    )
    form = ComponentFilterForm(request.GET, user=request.user)
    rows = form.components(application).select_related("updated_by").defer("definition")
    sort = ColumnSort(COLUMNS, request.GET, default="link_name")
    page = sort.page(rows, PAGE_SIZE)
    template = "components/component_list.html"
    if request.htmx and request.htmx.target == "table":
        template += "#table"
    return render(
        request,
        template,
        {
            "application": application,
            "columns": sort.heads(),
            "sort_order": sort.asked,
            "filter_tabs": tabs_of(request),
            "form": form,
            "page": page,
            "tags": form.tags(),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def component_create(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the form for a new component; a POST creates it."""
    application = get_object_or_404(
        Application.objects.allowing(request.user, Action.MANAGE_COMPONENTS), pk=pk
    )
    form = ComponentForm(
        request.POST if request.method == "POST" else None,
        instance=Component(application=application),
        initial={"kind": request.GET.get("kind", ComponentKind.FUNCTION)},
    )
    if form.is_bound and form.is_valid():
        component: Component = form.save(commit=False)
        component.definition = STARTERS[component.kind]
        try:
            saving.create(component, request.user)
        except saving.ComponentConflict as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"{component} was created.")
            return SeeOther(component.get_absolute_url())
    return render(
        request,
        "components/component_create.html",
        {"application": application, "form": form},
        status=422 if form.is_bound else 200,
    )


@require_safe
def component_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a component: its definition, the Run panel and its references."""
    component = _component(request, pk)
    release = release_in_stage(component.application)
    run_form = _run_form(component, release, environment=request.GET.get("run", ""))
    return _page(request, component, DefinitionForm(instance=component), run_form=run_form)


@require_POST
def component_save(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Save the name and the definition, or show the errors by line."""
    component = _component(request, pk)
    # The form changes its instance. The page shows the saved component next to the person's text.
    form = DefinitionForm(request.POST, instance=copy(component))
    faults = None
    status = 422
    if form.is_valid():
        try:
            saving.save(form.save(commit=False), request.user, version=form.cleaned_data["version"])
        except JsonFaults as error:
            faults = error
        except saving.ComponentConflict as error:
            form.add_error(None, str(error))
            status = 409
        else:
            messages.success(request, f"{form.instance} was saved.")
            return SeeOther(component.get_absolute_url())
    return _page(request, component, form, faults=faults, status=status)


@require_POST
def component_check(request: SignedInRequest, pk: uuid.UUID) -> JsonResponse:
    """Return the errors of a definition as JSON, for the editor."""
    component = _component(request, pk)
    text = with_line_feeds(request.POST.get("definition", ""))
    faults = saving.faults_of(component, text)
    return JsonResponse(
        {
            "faults": [
                {"line": fault.line, "column": fault.column, "message": fault.message}
                for fault in (faults.faults if faults else ())
            ],
            "more": faults.more if faults else 0,
        }
    )


@require_POST
def component_run(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Run the saved component and show every call that it made."""
    component = _component(request, pk)
    if not component.is_runnable:
        raise Http404
    release = release_in_stage(component.application)
    form = _run_form(component, release, request.POST)
    run = None
    if form.is_valid():
        try:
            run = runs.run(
                component.application,
                component.link_name,
                Environment(form.cleaned_data["environment"]),
                request.user,
                form.given,
            )
        except runs.NotRunnable as error:
            form.add_error("environment", str(error))
    return _page(
        request,
        component,
        DefinitionForm(instance=component),
        run_form=form,
        run=run,
        status=200 if run else 422,
    )


@require_http_methods(["GET", "HEAD", "POST"])
def component_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what happens; a POST deletes the component from Development."""
    component = _component(request, pk)
    users = saving.users_of(component)
    if request.method == "POST":
        try:
            saving.delete(component, request.user)
        except saving.StillUsed:
            users = saving.users_of(component)
        else:
            messages.success(request, f"{component} was deleted from Development.")
            return SeeOther(component.application.get_absolute_url())
    release = release_in_stage(component.application)
    return render(
        request,
        "components/component_delete.html",
        {
            "component": component,
            "application": component.application,
            "users": users,
            "in_stage": release is not None and component.link_name in release.manifest.components,
        },
        status=409 if request.method == "POST" else 200,
    )


def _component(request: SignedInRequest, pk: uuid.UUID) -> Component:
    return get_object_or_404(
        Component.objects.allowing(request.user, Action.MANAGE_COMPONENTS).select_related(
            "application", "updated_by"
        ),
        pk=pk,
    )


def _page(
    request: SignedInRequest,
    component: Component,
    form: DefinitionForm,
    *,
    faults: JsonFaults | None = None,
    run_form: RunForm | None = None,
    run: runs.Run | None = None,
    status: int = 200,
) -> HttpResponse:
    application = component.application
    release = release_in_stage(application)
    template = "components/component_detail.html"
    if request.htmx and request.htmx.target == "run":
        template += "#run"
    return render(
        request,
        template,
        {
            "application": application,
            "component": component,
            "form": form,
            "faults": faults,
            "references": _references(request, component),
            "users": saving.users_of(component),
            "release": release,
            "in_stage": _in_stage(component, release),
            "may_publish": application.allows(request.user, Action.PUBLISH),
            # A link to Run moves the focus to its first input.
            "focus_run": "run" in request.GET and request.method != "POST",
            "run_form": run_form or _run_form(component, release),
            "run": run,
            "steps": shown(run) if run else [],
        },
        status=status,
    )


def _snapshot(component: Component) -> ComponentSnapshot:
    return ComponentSnapshot(
        kind=component.kind,
        name=component.name,
        link_name=component.link_name,
        definition=json.loads(component.definition),
    )


def _in_stage(component: Component, release: Release | None) -> str:
    """Return how the component is in Stage: ``same``, ``other``, or empty if it is not there."""
    held = release.manifest.components.get(component.link_name) if release else None
    if held is None:
        return ""
    same = canonical_json(held.as_document()) == canonical_json(_snapshot(component).as_document())
    return "same" if same else "other"


def _run_form(
    component: Component, release: Release | None, data: Any = None, *, environment: str = ""
) -> RunForm:
    is_in_stage = bool(_in_stage(component, release))
    in_stage_first = is_in_stage and environment == Environment.STAGE
    return RunForm(
        data,
        initial={"environment": Environment.STAGE} if in_stage_first else None,
        inputs=_inputs(component, release),
        not_in_stage="" if is_in_stage else f"{component} is not in Stage yet. Publish it first.",
    )


def _inputs(component: Component, release: Release | None) -> dict[str, Mapping[str, Any]]:
    """Return the inputs of the component in Development and of its version in Stage."""
    if not component.is_runnable:
        return {}
    workflow = component.kind == ComponentKind.WORKFLOW
    development = development_manifest(component.application) if workflow else Manifest()
    found = runs.inputs(development, _snapshot(component))
    if release and (held := release.manifest.components.get(component.link_name)):
        found = {**runs.inputs(release.manifest, held), **found}
    return found


def _references(
    request: SignedInRequest, component: Component
) -> list[tuple[Connection, list[ConnectionState]]]:
    """Return the connections that it calls, each with its state in Development and in Stage."""
    connections = Connection.objects.filter(references__component=component)
    found = list(connections.order_by("name").prefetch_related("released"))
    places = (Environment.DEVELOPMENT, Environment.STAGE)
    snapshots = {place: [c.snapshot_in(place) for c in found] for place in places}
    there = states_across(component.application, snapshots, request.user)
    return [(c, [there[place][c.link_name] for place in places]) for c in found]
