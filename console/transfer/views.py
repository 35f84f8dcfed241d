"""An application as a file: hand it out, look into one, make it."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from connections.models import Connection
from console.accounts.active_organization import address_in
from console.accounts.http import SeeOther, SignedInRequest
from console.accounts.policy import Action
from console.applications.models import Application
from console.choices import ComponentKind
from console.components import json_schema
from console.components.json_source import JsonFaults
from console.transfer.exporting import export_and_record
from console.transfer.forms import UploadForm
from console.transfer.import_lease import ImportInProgress, import_lease
from console.transfer.import_plan import plan
from console.transfer.importing import NameConflict, import_application, read
from console.transfer.models import Upload


# Editors and other programs check a file by it before anybody signs in; it says nothing of ours.
@login_not_required
@require_safe
def schema_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Publish a JSON Schema."""
    if name not in json_schema.names():
        raise Http404
    return JsonResponse(
        json_schema.schema(name),
        content_type="application/schema+json",
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )


@require_safe
def application_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Give out what is in Development as a file."""
    application = get_object_or_404(
        Application.objects.allowing(request.user, Action.MANAGE_COMPONENTS), pk=pk
    )
    return HttpResponse(
        export_and_record(application, request.user),
        content_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="{application.link_name}.json"',
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
def application_import(request: SignedInRequest) -> HttpResponse:
    """Ask for a file; one that can be imported is kept and looked at first."""
    if not request.user.may(Action.CREATE_APPLICATIONS):
        raise PermissionDenied
    if request.method != "POST":
        return _form_page(request, UploadForm(user=request.user))
    form = UploadForm(request.POST, request.FILES, user=request.user)
    if not form.is_valid():
        return _form_page(request, form)
    return SeeOther(form.save().get_absolute_url())


@require_safe
def upload_detail(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show what will be made of a file, before it is made."""
    upload = get_object_or_404(
        Upload.objects.pending_for(request.user).select_related("organization"), pk=pk
    )
    try:
        planned = plan(read(upload.text), upload.organization)
    except JsonFaults as error:
        return _faults_page(request, upload, error)
    by_kind = [
        (kind, [part for part in planned.components if part.kind == kind]) for kind in ComponentKind
    ]
    return render(
        request,
        "transfer/upload_detail.html",
        {
            "upload": upload,
            "plan": planned,
            "kinds": [(kind, parts) for kind, parts in by_kind if parts],
            "renamed": sum(each.is_renamed for each in planned.connections),
        },
    )


@require_POST
def upload_confirm(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Make the application, and say by which names, since others may be taken by now."""
    uploads = Upload.objects.pending_for(request.user).select_related("organization")
    upload = get_object_or_404(uploads, pk=pk)
    try:
        with import_lease(upload.organization):
            manifest = read(upload.text)
            with transaction.atomic():
                # Who presses twice waits here, and then finds nothing to import.
                upload = get_object_or_404(uploads.select_for_update(of=("self",)), pk=pk)
                application = import_application(manifest, upload.organization, request.user)
                upload.delete()
    except JsonFaults as error:
        return _faults_page(request, upload, error)
    except (ImportInProgress, NameConflict) as error:
        messages.error(request, str(error))
        return SeeOther(reverse("upload_detail", args=[pk]))
    messages.success(request, _made(application))
    return SeeOther(address_in(request, application.organization, application.get_absolute_url()))


@require_POST
def upload_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Forget a file."""
    get_object_or_404(Upload.objects.pending_for(request.user), pk=pk).delete()
    messages.success(request, "The file is forgotten, and nothing was imported.")
    return SeeOther(reverse("application_list"))


def _made(application: Application) -> str:
    """Say what came of a file, and what is left to do."""
    rows = Connection.objects.filter(application=application).order_by("name")
    names = list(rows.values_list("name", flat=True))
    made = f"{application} is imported, with the link name {application.link_name}."
    if not names:
        return made
    *others, last = names if len(names) < 5 else [*names[:3], f"{len(names) - 3} more"]
    words = f"{', '.join(others)} and {last}" if others else last
    return f"{made} Next, authorize {words}: an import brings no accounts along."


def _faults_page(request: SignedInRequest, upload: Upload, error: JsonFaults) -> HttpResponse:
    """Show why a file that could be imported when it was sent cannot be any more."""
    form = UploadForm({"organization": upload.organization_id}, user=request.user)
    form.errors.pop("file")
    form.refuse(error)
    return _form_page(request, form)


def _form_page(request: SignedInRequest, form: UploadForm) -> HttpResponse:
    return render(
        request,
        "transfer/application_import.html",
        {"form": form},
        status=422 if form.is_bound else 200,
    )
