"""Pages of releases: the list, one release, comparison and rollback."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from connections.authorizations.connection_state import by_urgency
from connections.models import Connection
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import Environment
from console.pagination import paginate
from console.publishing import publishing
from console.publishing.environment_state import manifest_in, release_in_stage, states_in
from console.publishing.forms import CompareForm, NoteForm
from console.publishing.manifest import Manifest, development_manifest
from console.publishing.manifest_diff import changes, diff
from console.publishing.models import Release

PAGE_SIZE = 20


@require_safe
def release_list(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """List the releases of an application, newest first."""
    application = _application(request, pk)
    releases = application.releases.select_related("created_by").defer("content")
    page = paginate(releases, request.GET, by="number", size=PAGE_SIZE)
    return render(
        request,
        "publishing/release_list.html",
        {
            "application": application,
            "page": page,
            "in_stage": release_in_stage(application),
            "form": CompareForm(None, application=application),
        },
    )


@require_safe
def release_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show a release: author, date, content, and whether it is in Stage."""
    release = _release(request, pk)
    application = release.application
    in_stage = release_in_stage(application)
    manifest = release.manifest
    keys = dict(
        Connection.objects.created().filter(application=application).values_list("link_name", "pk")
    )
    pages = {row.link_name: row for row in application.components.defer("definition")}
    is_in_stage = in_stage == release
    earlier = application.releases.filter(number=release.number - 1).first()
    states = {}
    if is_in_stage:
        states = states_in(
            application, manifest.connections.values(), Environment.STAGE, request.user
        )
    return render(
        request,
        "publishing/release_detail.html",
        {
            "application": application,
            "release": release,
            "in_stage": in_stage,
            "is_in_stage": is_in_stage,
            "components": [(part, pages.get(name)) for name, part in manifest.components.items()],
            "connections": [
                (snapshot, keys.get(name), states.get(name))
                for name, snapshot in manifest.connections.items()
            ],
            "earlier": earlier,
            "changes": changes(earlier.manifest, manifest) if earlier else None,
            "sides": f"?before={earlier.number}&after={release.number}" if earlier else "",
        },
    )


@require_safe
def release_compare(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Compare two releases, or a release and Development."""
    application = _application(request, pk)
    form = CompareForm(request.GET, application=application)
    found = roll_back_to = None
    if form.is_valid():
        before, after = _sides(application, form)
        found = changes(before, after)
        in_stage = release_in_stage(application)
        if in_stage and form.cleaned_data["after"] == str(in_stage.number):
            earlier = application.releases.exclude(pk=in_stage.pk).defer("content")
            if (number := form.cleaned_data["before"]) != CompareForm.DEVELOPMENT:
                roll_back_to = earlier.filter(number=int(number)).first()
    return render(
        request,
        "publishing/release_compare.html",
        {
            "roll_back_to": roll_back_to,
            "application": application,
            "form": form,
            "changes": found,
            "sides": f"?{request.GET.urlencode()}",
        },
        status=200 if form.is_valid() else 404,
    )


@require_safe
def change_detail(
    request: SignedInRequest, pk: uuid.UUID, what: str, link_name: str
) -> HttpResponse:
    """Show the line diff of one component or connection.

    Without ``before`` and ``after`` in the URL, Stage is compared with Development.
    """
    application = _application(request, pk)
    if request.GET.get("before") or request.GET.get("after"):
        form = CompareForm(request.GET, application=application)
        if not form.is_valid():
            raise Http404
        before, after = _sides(application, form)
    else:
        before, after = (
            manifest_in(application, Environment.STAGE),
            development_manifest(application),
        )
    found = changes(before, after)
    parts = {"components": found.components, "connections": found.connections}
    change = parts.get(what, {}).get(link_name)
    if change is None:
        raise Http404
    template = "publishing/change_detail.html"
    if request.htmx:
        template += "#diff"
    return render(
        request, template, {"application": application, "change": change, "lines": diff(change)}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def release_roll_back(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what a rollback would change; a POST creates a release with this one's content."""
    release = _release(request, pk)
    application = release.application
    form = NoteForm(
        request.POST if request.method == "POST" else None,
        initial={"note": f"Roll back to release {release.number}"},
    )
    status = 422 if form.is_bound else 200
    if request.method == "POST" and form.is_valid():
        try:
            outcome = publishing.roll_back(
                application, request.user, to=release, note=form.cleaned_data["note"]
            )
        except publishing.PublishInProgress as error:
            form.add_error(None, f"{error} Nothing was changed. Try again in a moment.")
            status = 409
        else:
            if outcome.is_new:
                messages.success(
                    request, f"{outcome.release} is in Stage, with the content of {release}."
                )
            else:
                messages.info(request, "Stage already has this content, so nothing was changed.")
            return SeeOther(outcome.release.get_absolute_url())
    states = states_in(
        application, release.manifest.connections.values(), Environment.STAGE, request.user
    )
    in_stage = release_in_stage(application)
    before = in_stage.manifest if in_stage else Manifest()
    return render(
        request,
        "publishing/release_roll_back.html",
        {
            "application": application,
            "release": release,
            "form": form,
            "changes": changes(before, release.manifest),
            "sides": f"?before={in_stage.number}&after={release.number}" if in_stage else "",
            "states": by_urgency(states.values()),
            "here": request.path,
        },
        status=status,
    )


def _sides(application: Application, form: CompareForm) -> tuple[Manifest, Manifest]:
    return (
        _manifest(application, form.cleaned_data["before"]),
        _manifest(application, form.cleaned_data["after"]),
    )


def _manifest(application: Application, side: str) -> Manifest:
    if side == CompareForm.DEVELOPMENT:
        return development_manifest(application)
    return application.releases.get(number=int(side)).manifest


def _application(request: SignedInRequest, pk: uuid.UUID) -> Application:
    applications = Application.objects.allowing(request.user, Action.PUBLISH)
    return get_object_or_404(applications.select_related("organization"), pk=pk)


def _release(request: SignedInRequest, pk: uuid.UUID) -> Release:
    releases = Release.objects.allowing(request.user, Action.PUBLISH)
    return get_object_or_404(
        releases.select_related("application__organization", "created_by"), pk=pk
    )
