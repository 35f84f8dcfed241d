"""Forms to create, edit and run components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from connectors.http.payloads import parse_json
from console.choices import ComponentKind, Environment
from console.components.models import Component

KIND_SENTENCES: Mapping[str, str] = {
    ComponentKind.FUNCTION: "Calls services through connections. You can run it here.",
    ComponentKind.WORKFLOW: "Runs functions in order; each gets the answer of the one before.",
    ComponentKind.FORM: "Fields that people fill in.",
    ComponentKind.REPORT: "Rows and columns of data from a service.",
    ComponentKind.PAGE: "Sections with text, pictures and figures.",
}
#: Where developers can run a component.
RUN_ENVIRONMENTS = {
    Environment.DEVELOPMENT: "The saved definition, with the authorizations of Development.",
    Environment.STAGE: "The published definition, with the authorizations of Stage.",
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
        error_messages: ClassVar[dict[str, Any]] = {"kind": {"required": "Choose a kind."}}

    def kinds(self) -> list[dict[str, Any]]:
        """Return the kinds as radio choices, each with a sentence."""
        chosen = self["kind"].value()
        return [
            {"value": kind, "title": kind.label, "sentence": sentence, "checked": chosen == kind}
            for kind, sentence in (
                (ComponentKind(name), words) for name, words in KIND_SENTENCES.items()
            )
        ]


class DefinitionForm(forms.ModelForm):
    """Name and definition of a component, with the version that the person edited.

    ``saving.save`` validates the definition.
    """

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    definition = forms.CharField(
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 20,
                "class": "code",
                "spellcheck": "false",
                "autocapitalize": "none",
                "autocomplete": "off",
            }
        ),
    )

    class Meta:
        model = Component
        fields: ClassVar[list[str]] = ["name", "definition"]
        widgets: ClassVar[dict[str, Any]] = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version

    def clean_definition(self) -> str:
        return with_line_feeds(self.cleaned_data["definition"])


class InputForm(forms.Form):
    """The inputs of a run, one field for each.

    ``inputs`` maps each name to its declaration in the definition, which may be empty.
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
        """Return the field of each input."""
        return [self[f"input.{name}"] for name in self.inputs]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name, declared in self.inputs.items():
            text = cleaned.get(f"input.{name}", "")
            if declared.get("type") == "number" and text.strip():
                try:
                    cleaned[f"input.{name}"] = _number(text)
                except ValueError:
                    self.add_error(f"input.{name}", "Enter a number, such as 12.5.")
        return cleaned

    @property
    def given(self) -> dict[str, Any]:
        """Return the submitted inputs by name."""
        return {name: self.cleaned_data[f"input.{name}"] for name in self.inputs}


class RunForm(InputForm):
    """The inputs of a run and its environment; ``not_in_stage`` says why Stage is unavailable."""

    environment = forms.ChoiceField(
        label="Where?",
        choices=[(environment.value, environment.label) for environment in RUN_ENVIRONMENTS],
        initial=Environment.DEVELOPMENT,
        error_messages={"required": "Choose where it runs."},
    )

    def __init__(self, *args: Any, not_in_stage: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.not_in_stage = not_in_stage

    def environments(self) -> list[dict[str, Any]]:
        """Return Development and Stage as radio choices."""
        chosen = self["environment"].value()
        choices = []
        for environment, sentence in RUN_ENVIRONMENTS.items():
            problem = self.not_in_stage if environment == Environment.STAGE else ""
            choices.append(
                {
                    "value": environment.value,
                    "title": environment.label,
                    "checked": chosen == environment and not problem,
                    "disabled": bool(problem),
                    "sentence": problem or sentence,
                }
            )
        return choices


def with_line_feeds(text: str) -> str:
    """Convert line breaks to LF. Browsers submit forms with CRLF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(text: str) -> int | float:
    number = parse_json(text.encode("utf-8", "replace"))
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(text)
    return number
