"""Forms to create an API key and to open an application."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from console.choices import Environment
from console.keys.key_site import OWN_ENVIRONMENTS, KeySite
from console.keys.models import ApiKey
from console.names import NameFormField

CHOICES = [(environment.value, environment.label) for environment in OWN_ENVIRONMENTS]


class _EnvironmentForm(forms.Form):
    """A choice between Development and Stage."""

    DESCRIPTIONS: ClassVar[Mapping[str, str]]

    environment = forms.ChoiceField(
        label="Environment",
        choices=CHOICES,
        error_messages={
            "required": "Choose an environment.",
            "invalid_choice": "Choose one of these environments.",
        },
    )

    @property
    def environment_choices(self) -> list[dict[str, Any]]:
        """Return the environments as choices with a sentence each."""
        chosen = self["environment"].value() or Environment.DEVELOPMENT
        return [
            {
                "value": value,
                "title": title,
                "sentence": self.DESCRIPTIONS[value],
                "checked": chosen == value,
            }
            for value, title in CHOICES
        ]


class KeyForm(_EnvironmentForm):
    """Name and environment of a new key."""

    DESCRIPTIONS = {
        Environment.DEVELOPMENT: "Uses the connections as you edit them here.",
        Environment.STAGE: "Uses the published connections. Asks for your password.",
    }

    name = NameFormField(
        label="Name",
        max_length=ApiKey._meta.get_field("name").max_length,
        help_text="The program or machine that uses the key, so that you can tell keys apart.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={
            "required": "Enter a name, such as the program or machine that uses the key."
        },
    )

    def __init__(self, data: Any = None, *, site: KeySite) -> None:
        super().__init__(data, initial={"name": f"Key {site.keys.count() + 1}"})
        self.site = site
        if len(site.environments) == 1:  # no choice
            del self.fields["environment"]

    @property
    def chosen_environment(self) -> str:
        """Return the environment of the new key."""
        return str(self.cleaned_data.get("environment", self.site.environments[0]))


class OpenForm(_EnvironmentForm):
    """The environment in which to open an application."""

    DESCRIPTIONS = {
        Environment.DEVELOPMENT: "Its calls use your authorizations of Development.",
        Environment.STAGE: "Its calls use your authorizations of Stage.",
    }
