"""Forms to authorize a connection and to rename an account."""

from __future__ import annotations

from typing import Any

from django import forms

from connections.models import Authorization, Credential
from connections.models.authorization_site import AuthorizationSite
from connections.setup.parameter_fields import ParametersForm
from connectors.api.auth_strategies import AUTH_TYPES
from connectors.api.pasted_credential import NotACredential, cleaned
from connectors.definitions.schema import AuthType, Connector, CredentialField
from console.optimistic_lock import ConflictCheckMixin


class CredentialBox(forms.CharField):
    """A field of the credentials form; a pasted value is cleaned.

    It has no ``maxlength`` for the browser, which would silently truncate a value that is
    pasted with a prefix.
    """

    def __init__(self, box: CredentialField, *, connector: Connector, auth_type: AuthType) -> None:
        attrs = {"autocomplete": "off"}
        super().__init__(
            label=box.label,
            help_text=box.help,
            strip=False,
            widget=forms.PasswordInput(attrs=attrs)
            if box.secret
            else forms.TextInput(attrs={**attrs, "spellcheck": "false"}),
        )
        self.box, self.connector, self.auth_type = box, connector, auth_type

    def to_python(self, value: Any) -> str:
        text = super().to_python(value)
        try:
            return cleaned(text or "", self.box, self.connector, self.auth_type)
        except NotACredential as error:
            raise forms.ValidationError(str(error)) from None


class AuthorizeForm(ParametersForm, forms.Form):
    """Ask for the environments, and for the credential of a service without OAuth 2.

    A client also says where its account is, such as in which data center.
    """

    flow = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, site: AuthorizationSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._site, connector = site, site.connector
        self.particulars = () if site.is_home else connector.parameters
        self.add_parameter_fields(self.particulars, site.snapshot.parameters)
        if len(site.environments) > 1:
            self.fields["environments"] = forms.MultipleChoiceField(
                label="Environments",
                choices=[(e.value, e.label) for e in site.environments],
                widget=forms.CheckboxSelectMultiple,
                error_messages={"required": "Choose at least one environment."},
            )
        self.credential_fields = AUTH_TYPES[site.snapshot.auth_type].fields(connector)
        for box in self.credential_fields:
            self.fields[box.name] = CredentialBox(
                box, connector=connector, auth_type=site.snapshot.auth_type
            )

    def clean(self) -> dict[str, Any]:
        super().clean()
        self.clean_parameters(self._site.connector)
        return self.cleaned_data

    @property
    def site(self) -> AuthorizationSite:
        """Return the site, with the parameters of this form."""
        if not self.particulars:
            return self._site
        return self._site.with_parameters(self.parameters)

    @property
    def environments(self) -> list[str]:
        """Return the environments to authorize, all of them environments of this connection."""
        return self.cleaned_data.get("environments") or list(self._site.environments)

    @property
    def secret(self) -> dict[str, str]:
        """Return the typed credential, by the field names of the connector."""
        return {box.name: self.cleaned_data[box.name] for box in self.credential_fields}

    def environments_box(self) -> forms.BoundField | None:
        return self["environments"] if "environments" in self.fields else None

    def credential_boxes(self) -> list[forms.BoundField]:
        """Return the fields to fill in: first the parameters, then the credential."""
        names = [f"parameter_{parameter.name}" for parameter in self.particulars]
        return [self[name] for name in (*names, *(box.name for box in self.credential_fields))]


class LabelForm(ConflictCheckMixin, forms.ModelForm):
    """Rename an account; the label is known in this console only."""

    class Meta:
        model = Credential
        fields = ["label"]

    def display_values(self, row: Credential) -> dict[str, str]:
        return {"Account": row.label}


def label_seen(authorization: Authorization | None) -> str:
    """Return the fingerprint of the label that a page shows."""
    credential = authorization.credential if authorization else None
    return LabelForm(instance=credential).seen if credential else ""
