"""Forms to publish, roll back and compare releases."""

from __future__ import annotations

from typing import Any

from django import forms

from console.applications.models import Application
from console.publishing.models import Release


class NoteForm(forms.ModelForm):
    """The note of a release."""

    class Meta:
        model = Release
        fields = ["note"]
        labels = {"note": "Note"}
        help_texts = {"note": "What changed. Shown in the list of releases."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].widget.attrs["autocomplete"] = "off"


class SearchForm(forms.Form):
    """Narrow the list of changes."""

    q = forms.CharField(label="Search", required=False, max_length=100)
    mine = forms.BooleanField(label="Only mine", required=False)


class CompareForm(forms.Form):
    """Choose two releases to compare; Development is a choice, too."""

    DEVELOPMENT = "development"

    def __init__(self, data: Any, *, application: Application) -> None:
        super().__init__(data, initial={"after": self.DEVELOPMENT})
        numbers = application.releases.order_by("-number").values_list("number", flat=True)
        choices = [(str(number), f"Release {number}") for number in numbers]
        choices.append((self.DEVELOPMENT, "Development"))
        for name, label in (("before", "From"), ("after", "To")):
            self.fields[name] = forms.ChoiceField(label=label, choices=choices)
