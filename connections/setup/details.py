"""The description, owner and tags of a connection."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction

from connections.models import Connection
from connections.models.tag import MAX_TAG_LENGTH, MAX_TAGS, clean_tags
from connections.setup.tagging import set_tags
from console.accounts import authority
from console.accounts.models import Membership, User
from console.accounts.policy import ALLOWED, Action
from console.audit.actions import AuditAction
from console.audit.log import record
from console.optimistic_lock import ConflictCheckMixin


class DetailsForm(ConflictCheckMixin, forms.ModelForm):
    """Description, owner and tags; none of them has an effect on calls."""

    tags = forms.CharField(
        label="Tags",
        required=False,
        max_length=MAX_TAGS * (MAX_TAG_LENGTH + 2),
        help_text="Words to find and group connections by, separated by commas.",
    )

    class Meta:
        model = Connection
        fields = ["description", "owner"]
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "description": "What it is for, and what to know before one changes it.",
            "owner": "The developer who answers for it.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = cast("forms.ModelChoiceField[User]", self.fields["owner"])
        owner.queryset = possible_owners(self.instance)
        owner.empty_label = "Nobody"
        self.initial["tags"] = ", ".join(tag.name for tag in self.instance.tags.all())

    def clean_description(self) -> str:
        # Browsers send line breaks as two characters.
        return str(self.cleaned_data["description"]).replace("\r\n", "\n")

    def clean_tags(self) -> list[str]:
        return clean_tags(self.cleaned_data["tags"].split(","))

    def display_values(self, row: Connection) -> dict[str, str]:
        if row is self.instance and self.is_bound and "tags" in self.cleaned_data:
            tags = self.cleaned_data["tags"]
        else:
            tags = [tag.name for tag in row.tags.all()]
        return {
            "Description": row.description,
            "Owner": str(row.owner or "Nobody"),
            "Tags": ", ".join(tags),
        }


def possible_owners(connection: Connection) -> Any:
    """Return the people who may own a connection: those who can change it, and its owner."""
    members = Membership.objects.active().filter(
        organization=connection.application.organization_id,
        role__in=ALLOWED[Action.MANAGE_CONNECTIONS],
        user__is_active=True,
    )
    people = User.objects.filter(pk__in=members.values("user"))
    if connection.owner_id:
        people |= User.objects.filter(pk=connection.owner_id)
    return people.order_by("email")


def save_details(form: DetailsForm, by: User) -> None:
    """Save the details.

    Raise :class:`~console.optimistic_lock.EditConflict` if they changed since they were shown,
    ``ValidationError`` if there are too many tags, and
    :class:`~console.accounts.authority.NotAllowed` if the person may not do it.
    """
    connection = form.instance
    organization = connection.application.organization
    with transaction.atomic():
        authority.check_and_lock(by, organization, Action.MANAGE_CONNECTIONS)
        rows = Connection.objects.created().select_for_update(of=("self",))
        before = rows.select_related("owner").filter(pk=connection.pk).first()
        if before is None:
            raise ValidationError("The connection was deleted in the meantime.")
        form.raise_on_conflict(before)
        # Not ``updated_at``: calls do not depend on these.
        rows.filter(pk=before.pk).update(description=connection.description, owner=connection.owner)
        if before.description != connection.description:
            record(
                AuditAction.CONNECTION_DESCRIBED,
                organization,
                by,
                connection,
                application=connection.application.name,
                was=before.description,
                now=connection.description,
            )
        if before.owner_id != connection.owner_id:
            record(
                AuditAction.CONNECTION_OWNER_CHANGED,
                organization,
                by,
                connection,
                application=connection.application.name,
                owner=str(connection.owner or "nobody"),
                was=str(before.owner or "nobody"),
            )
        set_tags(connection, form.cleaned_data["tags"], by)
