"""What is changed in Administration is recorded, beside the admin's own history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.forms import BaseModelForm
from django.http import HttpRequest, HttpResponse

from console.accounts.models import Membership, Organization, User
from console.administration.accounts import OrganizationAdmin, UserAdmin
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, homes, record_all
from console.audit.models import DEPLOYMENT

#: Fields by which people know a row: what they held before is told.
NAMING = ("name", "email")
#: A happening and the organization whose chain it goes into.
Entry = tuple[uuid.UUID | None, AuditEntry]


class RecordedAdmin(admin.ModelAdmin):
    """An admin page whose every change is an event of the organization, or does not happen.

    Django saves a row, then what belongs to it: both are recorded after the last of them.
    """

    def homes(self, row: Any) -> list[uuid.UUID | None]:
        """Name the chains that tell of a row: its organization's, or the deployment's."""
        return [row.organization_id]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save what belongs to the row, and record it together with the row."""
        before = self.homes(form.instance) if change else []
        super().save_related(request, form, formsets, change)
        entries: list[Entry] = []
        if form.changed_data or not change:
            done = "changed" if change else "created"
            chains = dict.fromkeys([*before, *self.homes(form.instance)])
            entries += entries_of(form.instance, done, chains, **(_changes(form) if change else {}))
        for formset in formsets:
            entries += self.entries_of_formset(formset)
        record_entries(request.user, entries)

    def entries_of_formset(self, formset: Any) -> list[Entry]:
        """Tell of the rows that stand on the page of another one."""
        return _of_formset(formset) if formset.model is Membership else []

    def response_action(  # type: ignore[override]
        self, request: HttpRequest, queryset: Any
    ) -> Any:
        """Do what was ticked in the list as a whole, or not at all; Django leaves that open."""
        with transaction.atomic():
            return super().response_action(request, queryset)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete and record it."""
        self._delete(request, [obj], lambda: super(RecordedAdmin, self).delete_model(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete what was ticked in the list and record each."""
        rows = list(queryset)
        self._delete(
            request, rows, lambda: super(RecordedAdmin, self).delete_queryset(request, queryset)
        )

    def _delete(self, request: HttpRequest, rows: Iterable[Any], delete: Any) -> None:
        entries = [entry for row in rows for entry in self.of_deleted(row, request.user)]
        delete()
        record_entries(request.user, entries)

    def of_deleted(self, row: Any, by: Any) -> list[Entry]:
        """Tell of a row while it is there."""
        return entries_of(row, "deleted", self.homes(row))


def entries_of(
    row: models.Model, done: str, chains: Iterable[uuid.UUID | None], **details: Any
) -> list[Entry]:
    """Tell of one row in these chains; ``done`` is the second word of the act."""
    subject = Subject.of(row)
    happening = AuditEntry(
        action=AuditAction(f"{subject.type}.{done}"), subject=subject, details=details
    )
    return [(chain, happening) for chain in chains]


def _changes(form: Any) -> dict[str, Any]:
    """Name what a form has changed; of values only what can be no secret."""
    told: dict[str, Any] = {"fields": sorted(form.changed_data)}
    for name in form.changed_data:
        if name in NAMING:
            told["was"] = str(form.initial.get(name, ""))
        elif isinstance(form.cleaned_data.get(name), bool):
            told[name] = form.cleaned_data[name]
    return told


def record_entries(actor: Any, entries: Iterable[Entry]) -> None:
    """Write entries chain by chain, in the one order in which chains are locked."""
    by_chain: dict[uuid.UUID | None, list[AuditEntry]] = {}
    for chain, happening in entries:
        by_chain.setdefault(chain, []).append(happening)
    for chain in sorted(by_chain, key=lambda key: key or DEPLOYMENT):
        record_all(chain, actor, by_chain[chain])


def _of_formset(formset: Any) -> list[Entry]:
    """Tell of the memberships that stand on a person's page."""
    forms: dict[int, BaseModelForm] = {id(form.instance): form for form in formset.forms}
    entries = []
    for row in formset.new_objects:
        entries += _of_membership(row, "created")
    for row, _ in formset.changed_objects:
        entries += _of_membership(row, "changed", forms[id(row)].initial)
    for row in formset.deleted_objects:
        entries += _of_membership(row, "deleted")
    return entries


def _of_membership(row: Membership, done: str, before: Any = None) -> list[Entry]:
    # Known by the person, whose other events have the same key; a deleted row has none.
    subject = Subject(type="membership", id=str(row.user_id), label=row.user.email)
    details = {"role": row.role}
    chains = [row.organization_id]
    if before and before.get("role") != row.role:
        details["was"] = before["role"]
    if before and before.get("organization") not in (None, row.organization_id):
        # Moved from one organization to another: both are told.
        chains.append(before["organization"])
    happening = AuditEntry(
        action=AuditAction(f"membership.{done}"), subject=subject, details=details
    )
    return [(chain, happening) for chain in chains]


admin.site.unregister(User)
admin.site.unregister(Organization)


@admin.register(User)
class RecordedUserAdmin(RecordedAdmin, UserAdmin):
    """A person's page; each of his organizations is told of what becomes of him."""

    def homes(self, row: User) -> list[uuid.UUID | None]:
        return homes(row)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set another password for somebody and record who did."""
        with transaction.atomic():
            before = self.get_object(request, id)
            response = super().user_change_password(request, id, form_url)
            after = self.get_object(request, id)
            if before and after and before.password != after.password:
                record_entries(request.user, entries_of(after, "password_changed", homes(after)))
        return response


@admin.register(Organization)
class RecordedOrganizationAdmin(RecordedAdmin, OrganizationAdmin):
    """An organization's page; that it is gone is told where somebody can still read it."""

    def homes(self, row: Organization) -> list[uuid.UUID | None]:
        return [row.pk]

    def of_deleted(self, row: Organization, by: Any) -> list[Entry]:
        return entries_of(row, "deleted", [None])
