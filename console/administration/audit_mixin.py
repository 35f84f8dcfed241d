"""Record what is changed in Administration in the audit log."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse

from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record_all
from console.audit.models import DEPLOYMENT

#: Fields by which people know a row; the event holds their previous value.
NAMING_FIELDS = ("name", "email")
#: An audit entry and the organization whose log it belongs to; None is the deployment's log.
Entry = tuple[uuid.UUID | None, AuditEntry]


class AuditMixin(admin.ModelAdmin):
    """Record each change that an admin page saves, in the transaction of the change.

    Admin pages that change rows through functions of other modules do not need it: these
    functions record their changes themselves.
    """

    def logs_of(self, row: Any) -> list[uuid.UUID | None]:
        """Return the organizations in whose logs a row's events are recorded."""
        return [row.organization_id]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save the related rows, then record them together with the row, saved before."""
        logs_before = self.logs_of(form.instance) if change else []
        super().save_related(request, form, formsets, change)
        entries: list[Entry] = []
        if form.changed_data or not change:
            logs = dict.fromkeys([*logs_before, *self.logs_of(form.instance)])
            details = _changes(form) if change else {}
            verb = "changed" if change else "created"
            entries += entries_of(form.instance, verb, logs, **details)
        for formset in formsets:
            entries += self.entries_of_formset(formset)
        record_entries(request.user, entries)

    def entries_of_formset(self, formset: Any) -> list[Entry]:
        """Return the entries for related rows that are edited on the same page."""
        return []

    def response_action(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Run an action on several rows in one transaction, which Django does not do."""
        with transaction.atomic():
            return super().response_action(request, queryset, *args, **kwargs)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self._delete(request, [obj], lambda: super(AuditMixin, self).delete_model(request, obj))

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        rows = list(queryset)
        self._delete(
            request, rows, lambda: super(AuditMixin, self).delete_queryset(request, queryset)
        )

    def entries_of_deleted(self, row: Any, by: Any) -> list[Entry]:
        """Return the entries for a row that is about to be deleted."""
        return entries_of(row, "deleted", self.logs_of(row))

    def _delete(
        self, request: HttpRequest, rows: Iterable[Any], delete: Callable[[], None]
    ) -> None:
        entries = [entry for row in rows for entry in self.entries_of_deleted(row, request.user)]
        delete()
        record_entries(request.user, entries)


def entries_of(
    row: models.Model, verb: str, logs: Iterable[uuid.UUID | None], **details: Any
) -> list[Entry]:
    """Return the entry ``<type of the row>.<verb>`` for each of these logs."""
    subject = Subject.of(row)
    action = AuditAction(f"{subject.type}.{verb}")
    entry = AuditEntry(action=action, subject=subject, details=details)
    return [(log, entry) for log in logs]


def record_entries(actor: Any, entries: Iterable[Entry]) -> None:
    """Record entries log by log, in the one order in which logs are locked."""
    by_log: dict[uuid.UUID | None, list[AuditEntry]] = {}
    for log, entry in entries:
        by_log.setdefault(log, []).append(entry)
    for log in sorted(by_log, key=lambda key: key or DEPLOYMENT):
        record_all(log, actor, by_log[log])


def _changes(form: Any) -> dict[str, Any]:
    """Return the names of changed fields, and only those values that cannot be secret."""
    details: dict[str, Any] = {"fields": sorted(form.changed_data)}
    for name in form.changed_data:
        if name in NAMING_FIELDS:
            details["was"] = str(form.initial.get(name, ""))
        elif isinstance(form.cleaned_data.get(name), bool):
            details[name] = form.cleaned_data[name]
    return details
