"""Save, rename and delete a filter. They are a person's own settings, and not in the audit log."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts.http import SeeOther, SignedInRequest
from console.saved_filters.forms import NewFilterForm, SavedFilterForm
from console.saved_filters.models import SavedFilter

TAKEN = "You already have a filter with this name in this list."


@require_POST
def saved_filter_create(request: SignedInRequest) -> HttpResponse:
    """Save the current filter of a list under a name, and return to the list."""
    if request.organization is None:
        messages.warning(request, "Choose an organization first, then save the filter.")
        return SeeOther(reverse("home"))
    row = SavedFilter(user=request.user, organization=request.organization)
    form = NewFilterForm(request.POST, instance=row)
    if form.is_valid() and _saved(form):
        messages.success(request, f"The filter “{row}” was saved.")
        return SeeOther(row.url)
    for errors in form.errors.values():
        messages.error(request, " ".join(str(error) for error in errors))
    if not row.path:
        return SeeOther(reverse("home"))
    row.query = row.query or ""
    return SeeOther(row.url)


@require_http_methods(["GET", "HEAD", "POST"])
def saved_filter_edit(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Show the form to rename or delete a filter; a POST renames it."""
    row = _filter(request, pk)
    form = SavedFilterForm(request.POST if request.method == "POST" else None, instance=row)
    if request.method == "POST" and form.is_valid() and _saved(form):
        messages.success(request, f"The filter is now named “{row}”.")
        return SeeOther(row.url)
    saved = _filter(request, pk) if form.is_bound else row
    status = 422 if form.is_bound else 200
    context = {"form": form, "saved": saved}
    return render(request, "saved_filters/saved_filter_edit.html", context, status=status)


@require_POST
def saved_filter_delete(request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
    """Delete a filter and return to its list."""
    row = _filter(request, pk)
    row.delete()
    messages.success(request, f"The filter “{row}” was deleted.")
    return SeeOther(row.list_url)


def _saved(form: SavedFilterForm) -> bool:
    """Save, unless another tab just took the name."""
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:
        form.add_error("name", TAKEN)
        return False
    return True


def _filter(request: SignedInRequest, pk: uuid.UUID) -> SavedFilter:
    return get_object_or_404(SavedFilter, pk=pk, user=request.user)
