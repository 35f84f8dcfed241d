"""The page *Publish to Stage*: choose changes, see what they include and whether they will work."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from connections.authorizations.connection_state import by_urgency
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.publishing import publishing
from console.publishing.change_groups import choices_of
from console.publishing.environment_state import manifest_in, states_in
from console.publishing.forms import NoteForm, SearchForm
from console.publishing.selection import Selection, select

#: The length of a query string that every server accepts.
MAX_QUERY = 4_000
#: Shown when somebody else has changed Development or Stage while the page was open.
STALE_PAGE = (
    "Development or Stage has changed since this page was shown, so nothing was published. "
    "This page now shows the current changes: check them and publish again."
)


@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the changes that can be published; a POST publishes the ticked ones."""
    application = _application(request, pk)
    if request.method != "POST":
        return _page(request, application, None, NoteForm())
    form = NoteForm(request.POST)
    ticked = request.POST.getlist("tick")
    if not form.is_valid():
        return _page(request, application, ticked, form, status=422)
    try:
        result = publishing.publish(
            application,
            request.user,
            ticked=ticked,
            note=form.cleaned_data["note"],
            seen=request.POST.get("seen", ""),
        )
    except publishing.NothingSelected:
        form.add_error(
            None, "Nothing is ticked, so nothing was published. Tick at least one change."
        )
        return _page(request, application, ticked, form, status=422)
    except publishing.PublishConflict:
        form.add_error(None, STALE_PAGE)
        return _page(request, application, ticked, form, status=409)
    except publishing.PublishInProgress as error:
        form.add_error(None, f"{error} Your changes were not published. Try again in a moment.")
        return _page(request, application, ticked, form, status=409)
    release = result.release
    if result.is_new:
        messages.success(request, f"{release} of {application} is in Stage.")
    else:
        messages.info(
            request, f"{release} already contains these changes, so no new release was created."
        )
    return SeeOther(release.get_absolute_url())


@require_POST
def publish_preview(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the page with other changes ticked; nothing is published."""
    application = _application(request, pk)
    form = NoteForm(initial={"note": request.POST.get("note", "")[:500]})
    return _page(request, application, request.POST.getlist("tick"), form)


def _page(
    request: SignedInRequest,
    application: Application,
    wanted: Iterable[str] | None,
    form: NoteForm,
    *,
    status: int = 200,
) -> HttpResponse:
    stage = manifest_in(application, Environment.STAGE)
    development = manifest_in(application, Environment.DEVELOPMENT)
    given = request.POST if request.method == "POST" else request.GET
    search = SearchForm(given)
    search.is_valid()
    q, mine = search.cleaned_data.get("q", ""), search.cleaned_data.get("mine", False)
    own = application.components.filter(updated_by=request.user) if mine else None
    only = None if own is None else set(own.values_list("link_name", flat=True))
    if wanted is None:
        everything = {*stage.components, *development.components}
        wanted = _ticks_of(request.GET, everything)
    selection = select(stage, development, wanted)
    choices_in = partial(choices_of, q=q, only=only, whole=given.getlist("whole"))
    choices = choices_in(selection)
    if choose := request.POST.get("choose"):  # all that the search shows, or none of it
        found, ticked = choices.found, set(selection.ticked)
        selection = select(
            stage, development, ticked | found if choose == "all" else ticked - found
        )
        choices = choices_in(selection)
    states = states_in(
        application, selection.result.connections.values(), Environment.STAGE, request.user
    )
    by_state = by_urgency(states.values()) if selection.ticked else []
    here = _url_of(application, selection, q, mine=mine)
    context: dict[str, Any] = {
        "here": here,
        "search": search,
        "choices": choices,
        "application": application,
        "form": form,
        "selection": selection,
        "stage_is_empty": not stage.components,
        "seen": publishing.fingerprint(stage, development),
        "states": by_state,
        "not_working": [state for state in by_state if not state.works],
        "working": [state for state in by_state if state.works],
        "included": {n: r for n, r in selection.connection_changes.items() if r.is_included},
        "left_out": {n: r for n, r in selection.connection_changes.items() if not r.is_included},
    }
    template = "publishing/publish.html"
    if request.htmx and request.htmx.target == "choices":
        template += "#choices"
    response = render(request, template, context, status=status)
    if request.htmx and status == 200:
        response["HX-Replace-Url"] = here
    return response


def _ticks_of(query: QueryDict, everything: Collection[str]) -> Collection[str]:
    """Return the ticks in the URL: those named, or all with exceptions."""
    if query.get("all"):
        return set(everything) - set(query.getlist("except"))
    return query.getlist("tick")


def _url_of(application: Application, selection: Selection, q: str, *, mine: bool) -> str:
    """Return the URL of the page with these ticks, to which people come back.

    It names what is ticked or, if that is too long, what is not.
    """
    rest = [("q", q)] * bool(q) + [("mine", "on")] * bool(mine)
    query = urlencode([("tick", name) for name in sorted(selection.ticked)] + rest)
    if len(query) > MAX_QUERY:
        left_out = sorted(set(selection.changes.components) - selection.ticked)
        query = urlencode([("all", "on"), *(("except", name) for name in left_out), *rest])
    url = reverse("publish", args=[application.pk])
    return f"{url}?{query}" if query and len(query) <= MAX_QUERY else url


def _application(request: SignedInRequest, pk: uuid.UUID) -> Application:
    applications = Application.objects.allowing(request.user, Action.PUBLISH)
    return get_object_or_404(applications.select_related("organization"), pk=pk)
