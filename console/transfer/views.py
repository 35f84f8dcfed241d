"""Pages to export an application as a file, and to preview and import such a file."""

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
from console.accounts.active_organization import url_in
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


# Public: editors and other programs validate files with it. It holds no data of this console.
@login_not_required
@require_safe
def schema_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Serve a JSON Schema of the file format."""
    if name not in json_schema.names():
        raise Http404
    return JsonResponse(
        json_schema.schema(name),
        content_type="application/schema+json",
        json_dumps_params={"indent": 2, "ensure_ascii": False},
    )


@require_safe
def application_export(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Download the Development version of an application as a file."""
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
    """Show the upload form; a POST stores a valid file and leads to its preview."""
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
    """Show what an import of the file would create."""
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
    """Import the file; names are chosen again, since some may have been taken since the preview."""
    uploads = Upload.objects.pending_for(request.user).select_related("organization")
    upload = get_object_or_404(uploads, pk=pk)
    try:
        with import_lease(upload.organization):
            manifest = read(upload.text)
            with transaction.atomic():
                # A second press of the button waits here, and then finds no upload.
                upload = get_object_or_404(uploads.select_for_update(of=("self",)), pk=pk)
                application = import_application(manifest, upload.organization, request.user)
                upload.delete()
    except JsonFaults as error:
        return _faults_page(request, upload, error)
    except (ImportInProgress, NameConflict) as error:
        messages.error(request, str(error))
        return SeeOther(reverse("upload_detail", args=[pk]))
    messages.success(request, _success_message(application))
    return SeeOther(url_in(request, application.organization, application.get_absolute_url()))


@require_POST
def upload_discard(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete an uploaded file without importing it."""
    get_object_or_404(Upload.objects.pending_for(request.user), pk=pk).delete()
    messages.success(request, "The import was canceled, and the file was deleted.")
    return SeeOther(reverse("application_list"))


def _success_message(application: Application) -> str:
    """Say what was imported, and which connections have to be authorized."""
    rows = Connection.objects.filter(application=application).order_by("name")
    names = list(rows.values_list("name", flat=True))
    message = f"{application} was imported with the link name {application.link_name}."
    if not names:
        return message
    *others, last = names if len(names) < 5 else [*names[:3], f"{len(names) - 3} more"]
    words = f"{', '.join(others)} and {last}" if others else last
    return f"{message} Next, authorize {words}: an import does not include accounts."


def _faults_page(request: SignedInRequest, upload: Upload, error: JsonFaults) -> HttpResponse:
    """Show why a file that was valid when it was uploaded can no longer be imported."""
    form = UploadForm({"organization": upload.organization_id}, user=request.user)
    form.errors.pop("file")
    form.add_faults(error)
    return _form_page(request, form)


def _form_page(request: SignedInRequest, form: UploadForm) -> HttpResponse:
    return render(
        request,
        "transfer/application_import.html",
        {"form": form},
        status=422 if form.is_bound else 200,
    )
