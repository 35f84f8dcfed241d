"""What a person may say when he publishes, rolls back or compares."""

from __future__ import annotations

from typing import Any

from django import forms

from console.applications.models import Application
from console.publishing.models import Release


class NoteForm(forms.ModelForm):
    """What a release is for, in a person's own words."""

    class Meta:
        model = Release
        fields = ["note"]
        labels = {"note": "Note"}
        help_texts = {"note": "What changed, for those who read the list of releases."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].widget.attrs["autocomplete"] = "off"


class CompareForm(forms.Form):
    """Which two states of an application to compare; Development is a state, too."""

    DEVELOPMENT = "development"

    before = forms.ChoiceField(label="From")
    after = forms.ChoiceField(label="To")

    def __init__(self, data: Any, *, application: Application) -> None:
        super().__init__(data, initial={"after": self.DEVELOPMENT})
        numbers = application.releases.order_by("-number").values_list("number", flat=True)
        releases = [(str(number), f"Release {number}") for number in numbers]
        for name in ("before", "after"):
            self.fields[name].choices = [  # type: ignore[attr-defined]
                *releases,
                (self.DEVELOPMENT, "Development"),
            ]
