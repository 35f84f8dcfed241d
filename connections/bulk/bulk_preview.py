"""What a bulk action will do: to which connections, and which ones it leaves out and why."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import QueryDict

from connections.models import Connection
from connections.models.bulk_run import BulkAction, BulkItem, BulkRun
from connections.models.connection import ConnectionQuerySet
from connections.models.tag import clean_tags
from connections.setup.connection_filters import ConnectionFilterForm, with_places
from connectors.definitions.registry import get_connectors
from console.accounts.models import User
from console.components.models import Reference

#: The most connections of one bulk action.
MOST = 500
#: What happens to each connection, for the preview.
EFFECTS: Mapping[str, str] = {
    BulkAction.AUTHORIZE: "You authorize them one after the other, each in its own dialog.",
    BulkAction.TEST: "Each service gets the harmless check call of its connector. The results are "
    "stored with the authorizations.",
    BulkAction.TAG: "They get these tags, and keep the ones they have.",
    BulkAction.UNTAG: "They lose these tags, and keep all others.",
    BulkAction.DISABLE: "They make no calls in any environment, and at no client, until someone "
    "enables them. Their authorizations stay.",
    BulkAction.ENABLE: "They make calls again.",
    BulkAction.DELETE: "They are deleted, their authorizations are revoked at the services, and "
    "programs that call them get an error. This cannot be undone.",
}


class TagsForm(forms.Form):
    """The tags to add or to remove."""

    tags = forms.CharField(
        label="Tags", max_length=500, help_text="Several tags are separated by commas."
    )

    def clean_tags(self) -> list[str]:
        try:
            found = clean_tags(self.cleaned_data["tags"].split(","))
        except ValidationError as error:
            raise forms.ValidationError(error.messages) from error
        if not found:
            raise forms.ValidationError("Enter a tag.")
        return found


@dataclass(frozen=True, kw_only=True)
class BulkPreview:
    """The connections that a bulk action will change, and those that it leaves out."""

    action: BulkAction
    included: Sequence[Connection]
    left_out: Sequence[tuple[Connection, str]]
    #: More connections match than one bulk action takes.
    is_cut: bool

    @property
    def effect(self) -> str:
        return EFFECTS[self.action]

    @classmethod
    def of(cls, action: BulkAction, params: QueryDict, user: User) -> BulkPreview:
        """Return the preview for the ticked connections, or with ``all`` for a whole list."""
        rows = _selected(params, user).select_related("application__organization")
        found: list[Connection] = list(rows.order_by("-created_at", "-id")[: MOST + 1])
        is_cut, found = len(found) > MOST, found[:MOST]
        with_places(found, user)
        reasons = _reasons(action, found)
        return cls(
            action=action,
            included=[row for row in found if row.pk not in reasons],
            left_out=[(row, reasons[row.pk]) for row in found if row.pk in reasons],
            is_cut=is_cut,
        )


def create_run(preview: BulkPreview, tags: Sequence[str], by: User) -> BulkRun | None:
    """Store the bulk action; ``None`` if no connection is left."""
    if not preview.included:
        return None
    organization = preview.included[0].application.organization
    with transaction.atomic():
        run = BulkRun.objects.create(
            organization=organization, user=by, action=preview.action, tags=list(tags)
        )
        BulkItem.objects.bulk_create(
            BulkItem(run=run, connection=row, name=row.name) for row in preview.included
        )
    return run


def _selected(params: QueryDict, user: User) -> ConnectionQuerySet:
    form = ConnectionFilterForm(params, user=user)
    if params.get("all"):
        return form.connections()
    keys = []
    for text in params.getlist("connection")[:MOST]:
        try:
            keys.append(uuid.UUID(text))
        except ValueError:
            continue
    return Connection.objects.visible_to(user).filter(pk__in=keys)


def _reasons(action: BulkAction, rows: Sequence[Connection]) -> dict[uuid.UUID, str]:
    """Return why connections are left out, by their keys."""
    held = _uses(rows) if action is BulkAction.DELETE else {}
    found = {}
    first = rows[0].application.organization_id if rows else None
    for row in rows:
        if row.application.organization_id != first:
            found[row.pk] = "It belongs to another organization. Choose one organization first."
        elif reason := _reason(action, row, held):
            found[row.pk] = reason
    return found


def _reason(action: BulkAction, row: Connection, held: Mapping[uuid.UUID, str]) -> str:
    if row.is_draft:
        return "It is still a draft."
    if action in (BulkAction.AUTHORIZE, BulkAction.TEST):
        if row.is_disabled:
            return "It is disabled."
        if row.connector_slug not in get_connectors():
            return "Its service is no longer in the catalog."
        places: list[Any] = vars(row)["places"]
        if action is BulkAction.TEST:
            return "" if any(a and a.credential_id for _, a in places) else "It is not authorized."
        is_complete = all(a and a.display.name == "active" for _, a in places)
        return "It is authorized already." if is_complete else ""
    if action is BulkAction.DISABLE and row.is_disabled:
        return "It is disabled already."
    if action is BulkAction.ENABLE and not row.is_disabled:
        return "It is not disabled."
    return held.get(row.pk, "")


def _uses(rows: Sequence[Connection]) -> dict[uuid.UUID, str]:
    """Return what prevents the deletion of connections, by their keys."""
    found: dict[uuid.UUID, list[str]] = {}
    references = Reference.objects.filter(connection__in=rows).order_by("component__name")
    for key, name in references.values_list("connection", "component__name"):
        found.setdefault(key, []).append(name)
    released = {row.pk: row.first_released for row in rows if row.first_released}
    return {
        key: f"Components call it: {', '.join(found[key][:3])}"
        + (f" and {len(found[key]) - 3} more." if len(found[key]) > 3 else ".")
        if key in found
        else f"Release {released[key]} contains it."
        for key in {*found, *released}
    }
