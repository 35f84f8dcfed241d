"""What people fill in about components: to make one, to change it, to run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from connectors.http.payloads import parse_json
from console.choices import ComponentKind
from console.components.models import Component

KIND_SENTENCES: Mapping[str, str] = {
    ComponentKind.FUNCTION: "Calls services through connections. It runs here as it stands.",
    ComponentKind.WORKFLOW: "Runs functions one after the other; each gets what the one before answered.",
    ComponentKind.FORM: "Boxes that people fill in.",
    ComponentKind.REPORT: "Rows and columns of what a service knows.",
    ComponentKind.PAGE: "Sections of text, pictures and figures that people look at.",
}
#: The two places in which a developer runs something.
PLACES = [("development", "Development"), ("stage", "Stage")]
_PLACE_SENTENCES = {
    "development": "As it is saved here, with the authorizations of Development.",
    "stage": "As it was published, with the authorizations of Stage.",
}
_MAX_INPUT = 20_000


class ComponentForm(forms.ModelForm):
    """The name and the kind of a new component; the kind is fixed from then on."""

    class Meta:
        model = Component
        fields: ClassVar[list[str]] = ["name", "kind"]
        widgets: ClassVar[dict[str, Any]] = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "kind": forms.RadioSelect,
        }
        error_messages: ClassVar[dict[str, Any]] = {"kind": {"required": "Choose what it is."}}

    def kinds(self) -> list[dict[str, Any]]:
        """Give each kind as a choice with its sentence."""
        chosen = self["kind"].value()
        return [
            {"value": kind, "title": kind.label, "sentence": sentence, "checked": chosen == kind}
            for kind, sentence in (
                (ComponentKind(name), words) for name, words in KIND_SENTENCES.items()
            )
        ]


class DefinitionForm(forms.ModelForm):
    """The name and the definition of a component, read at a version.

    Whether the definition is right is told by ``referencing``, line by line.
    """

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    class Meta:
        model = Component
        fields: ClassVar[list[str]] = ["name", "definition"]
        widgets: ClassVar[dict[str, Any]] = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "definition": forms.Textarea(
                attrs={
                    "rows": 20,
                    "class": "code",
                    "spellcheck": "false",
                    "autocapitalize": "none",
                    "autocomplete": "off",
                }
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        self.fields["definition"].strip = False  # type: ignore[attr-defined]

    def clean_definition(self) -> str:
        return with_line_feeds(self.cleaned_data["definition"])


class InputForm(forms.Form):
    """What is given to a run: one text for each input.

    ``inputs`` maps names to what the definition declares about them, which may be nothing.
    """

    def __init__(self, *args: Any, inputs: Mapping[str, Mapping[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inputs = inputs
        for name, declared in inputs.items():
            long = declared.get("type") == "long_text"
            self.fields[f"input.{name}"] = forms.CharField(
                label=declared.get("label") or name,
                required=declared.get("required") is True,
                max_length=_MAX_INPUT,
                strip=False,
                widget=forms.Textarea(attrs={"rows": 3})
                if long
                else forms.TextInput(attrs={"autocomplete": "off"}),
            )

    def boxes(self) -> list[forms.BoundField]:
        """Give the box of each input."""
        return [self[f"input.{name}"] for name in self.inputs]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, declared in self.inputs.items():
            text = cleaned.get(f"input.{name}", "")
            if declared.get("type") == "number" and text.strip():
                try:
                    cleaned[f"input.{name}"] = _number(text)
                except ValueError:
                    self.add_error(f"input.{name}", "A number is needed here, such as 12.5.")
        return cleaned

    @property
    def given(self) -> dict[str, Any]:
        """Return the input by name."""
        return {name: self.cleaned_data[f"input.{name}"] for name in self.inputs}


class RunForm(InputForm):
    """The same, and where it runs; ``not_in_stage`` says why it cannot run in Stage."""

    environment = forms.ChoiceField(
        label="Where?",
        choices=PLACES,
        initial="development",
        error_messages={"required": "Choose where it runs."},
    )

    def __init__(self, *args: Any, not_in_stage: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.not_in_stage = not_in_stage

    def places(self) -> list[dict[str, Any]]:
        """Give Development and Stage as choices."""
        chosen = self["environment"].value()
        return [
            {
                "value": value,
                "title": title,
                "checked": chosen == value and not (value == "stage" and self.not_in_stage),
                "disabled": value == "stage" and self.not_in_stage,
                "sentence": (value == "stage" and self.not_in_stage) or _PLACE_SENTENCES[value],
            }
            for value, title in PLACES
        ]


def with_line_feeds(text: str) -> str:
    """Undo what browsers do to line breaks on the way (HTML, form submission)."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str) -> int | float:
    number = parse_json(text.encode("utf-8", "replace"))
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(text)
    return number
