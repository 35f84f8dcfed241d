"""The form to upload a file for import."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.components.json_source import JsonFault, JsonFaults
from console.transfer.import_lease import ImportInProgress, import_lease
from console.transfer.importing import MAX_BYTES, decode, read
from console.transfer.models import Upload


class UploadForm(forms.Form):
    """Upload a file to import; ``faults`` lists what is wrong with the file."""

    file = forms.FileField(
        label="File",
        help_text="An application that was exported from this or another Developer Console, "
        "at most 10 MB.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults: tuple[JsonFault, ...] = ()
        self.more: int | None = 0
        self.user = user
        self.organizations = Organization.objects.allowing(user, Action.CREATE_APPLICATIONS)
        if len(self.organizations) > 1:
            self.fields["organization"] = forms.ModelChoiceField(
                self.organizations,
                label="Organization",
                empty_label=None,
                help_text="The organization that will own the application.",
            )

    @property
    def has_more_faults(self) -> bool:
        return self.more != 0

    def add_faults(self, error: JsonFaults) -> None:
        """Add the faults of a file, which make it impossible to import."""
        self.faults, self.more = error.faults, error.more
        count = f"{len(error.faults)} errors" if len(error.faults) > 1 else "an error"
        if self.has_more_faults:
            count = f"at least {count}"
        self.add_error(
            None,
            f"This file has {count}, so nothing was imported. Fix the file and choose it again.",
        )

    @property
    def owner(self) -> Organization:
        """Return the organization to import into."""
        return self.cleaned_data.get("organization") or self.organizations[0]

    def clean(self) -> dict[str, Any]:
        """Read the file, after the other fields: the lease needs to know the organization."""
        cleaned = super().clean() or {}
        file: UploadedFile | None = cleaned.get("file")
        if file is None or self.errors:
            return cleaned
        data = file.read(MAX_BYTES + 1)
        try:
            with import_lease(self.owner):
                read(data)
        except ImportInProgress as error:
            self.add_error(None, str(error))
        except JsonFaults as error:
            self.add_faults(error)
        else:
            cleaned["text"] = decode(data)
        return cleaned

    def save(self) -> Upload:
        """Store the file; it replaces an earlier upload of the person."""
        with transaction.atomic():
            # Locks out a second tab: each person has one upload.
            User.objects.select_for_update(no_key=True).get(pk=self.user.pk)
            Upload.objects.filter(user=self.user).delete()
            return Upload.objects.create(
                user=self.user,
                organization=self.owner,
                file_name=(self.cleaned_data["file"].name or "")[:200],
                text=self.cleaned_data["text"],
            )
