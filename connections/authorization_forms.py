"""What is asked when a connection is authorized, and how an account is called here."""

from __future__ import annotations

from typing import Any

from django import forms

from connections.models import Connection, Credential
from connectors.auth import AUTH_TYPES


class AuthorizeForm(forms.Form):
    """Where the authorization applies, and the credential of a service without OAuth 2."""

    flow = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connection = connection
        if connection.separate_environments:
            self.fields["environments"] = forms.MultipleChoiceField(
                label="Environments",
                choices=[(e.value, e.label) for e in connection.environments],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"required": "Choose at least one environment."},
            )
        self.credential_fields = AUTH_TYPES[connection.auth_type].fields(connection.connector)  # type: ignore[index]
        for box in self.credential_fields:
            self.fields[box.name] = forms.CharField(
                label=box.label,
                help_text=box.help,
                max_length=box.max_length,
                strip=not box.secret,
                widget=forms.PasswordInput(attrs={"autocomplete": "off"})
                if box.secret
                else forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )

    @property
    def environments(self) -> list[str]:
        """Return what the authorization is for; never a place this connection has not."""
        return self.cleaned_data.get("environments") or list(self.connection.environments)

    @property
    def secret(self) -> dict[str, str]:
        """Return the typed credential by the names that the connector gives its parts."""
        return {box.name: self.cleaned_data[box.name] for box in self.credential_fields}

    def environments_box(self) -> forms.BoundField | None:
        return self["environments"] if "environments" in self.fields else None

    def credential_boxes(self) -> list[forms.BoundField]:
        return [self[box.name] for box in self.credential_fields]


class LabelForm(forms.ModelForm):
    """How the account is called here."""

    class Meta:
        model = Credential
        fields = ["label"]
