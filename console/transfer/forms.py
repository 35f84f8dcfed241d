"""The question which file to import, and for whom."""

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
    """A file that can be imported; ``faults`` says what keeps one from it."""

    file = forms.FileField(
        label="File",
        help_text="An application that this or another Developer Console has exported, "
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
                help_text="It will own the application.",
            )

    @property
    def has_more_faults(self) -> bool:
        return self.more != 0

    def refuse(self, error: JsonFaults) -> None:
        """Say of a file, whenever it was read, that it cannot be imported."""
        self.faults, self.more = error.faults, error.more
        count = f"{len(error.faults)} faults" if len(error.faults) > 1 else "a fault"
        if self.has_more_faults:
            count = f"at least {count}"
        self.add_error(
            None, f"This file has {count}, so nothing was imported. Mend it and choose it again."
        )

    @property
    def owner(self) -> Organization:
        """Return for whom it is imported."""
        return self.cleaned_data.get("organization") or self.organizations[0]

    def clean(self) -> dict[str, Any]:
        """Read the file, last: for whom it is read has to be known."""
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
            self.refuse(error)
        else:
            cleaned["text"] = decode(data)
        return cleaned

    def save(self) -> Upload:
        """Keep the file in place of the one that the person sent before."""
        with transaction.atomic():
            # A second tab waits: each person has one file.
            User.objects.select_for_update(no_key=True).get(pk=self.user.pk)
            Upload.objects.filter(user=self.user).delete()
            return Upload.objects.create(
                user=self.user,
                organization=self.owner,
                file_name=(self.files["file"].name or "")[:200],
                text=self.cleaned_data["text"],
            )
