"""What people fill in about keys, and to open an application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from console.choices import Environment
from console.keys.key_site import AT_HOME, KeySite
from console.keys.models import ApiKey
from console.names import NameFormField

PLACES = [(environment.value, environment.label) for environment in AT_HOME]


class _PlaceForm(forms.Form):
    """One of the environments at home."""

    SENTENCES: ClassVar[Mapping[str, str]]

    environment = forms.ChoiceField(
        label="Environment",
        choices=PLACES,
        error_messages={
            "required": "Choose an environment.",
            "invalid_choice": "Choose one of these environments.",
        },
    )

    @property
    def places(self) -> list[dict[str, Any]]:
        """Give each environment as a choice with its sentence."""
        chosen = self["environment"].value() or Environment.DEVELOPMENT
        return [
            {
                "value": value,
                "title": title,
                "sentence": self.SENTENCES[value],
                "checked": chosen == value,
            }
            for value, title in PLACES
        ]


class KeyForm(_PlaceForm):
    """The name of a new key, and where it is valid."""

    SENTENCES = {
        Environment.DEVELOPMENT: "Reads the connections as they are edited here.",
        Environment.STAGE: "Reads the connections as they were published. Asks for your password.",
    }

    name = NameFormField(
        label="Name",
        max_length=ApiKey._meta.get_field("name").max_length,
        help_text="For you, to tell it from others: the program or machine that uses it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": "Name the program or machine that will use the key."},
    )

    def __init__(self, data: Any = None, *, place: KeySite) -> None:
        super().__init__(data)
        self.place = place
        if len(place.environments) == 1:  # there is nothing to choose
            del self.fields["environment"]

    @property
    def chosen(self) -> str:
        """Return the environment for which the key is to be."""
        return str(self.cleaned_data.get("environment", self.place.environments[0]))


class OpenForm(_PlaceForm):
    """Where to open an application."""

    SENTENCES = {
        Environment.DEVELOPMENT: "Its calls use your authorizations of Development.",
        Environment.STAGE: "Its calls use your authorizations of Stage.",
    }
