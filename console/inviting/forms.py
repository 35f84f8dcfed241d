"""The form to accept an invitation."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_texts,
    validate_password,
)

from console.accounts.models import Organization, User
from console.inviting.client_organizations import possible_clients
from console.inviting.models import Invitation
from console.names import NameFormField


class AcceptForm(forms.Form):
    """A password for people without an account, and for clients their organization."""

    password = forms.CharField(
        label="Password",
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=" ".join(password_validators_help_texts()),
    )
    client = forms.ModelChoiceField(
        Organization.objects.none(),
        label="Organization",
        required=False,
        blank=True,
        empty_label="A new organization, named below",
    )
    client_name = NameFormField(
        label="Name of the new organization", required=False, max_length=100
    )

    def __init__(self, data: Any, *, invitation: Invitation, user: User | None) -> None:
        super().__init__(data)
        self.invitation, self.user = invitation, user
        if user:
            del self.fields["password"]
        own = (
            list(possible_clients(user, invitation.organization))
            if user and invitation.is_for_client
            else []
        )
        if own:
            choice = cast(forms.ModelChoiceField, self.fields["client"])
            choice.queryset = Organization.objects.filter(pk__in=[each.pk for each in own])
            self.initial["client"] = own[0].pk
        else:
            del self.fields["client"]
        if not invitation.is_for_client:
            del self.fields["client_name"]
        elif not own:
            self.fields["client_name"].required = True
            self.fields["client_name"].label = "Name of your organization"

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.invitation.email))
        return password

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "client" in self.fields and not cleaned.get("client") and not cleaned.get("client_name"):
            self.add_error(
                "client_name", "Choose an organization above, or enter a name for a new one."
            )
        return cleaned

    @property
    def chosen_client(self) -> dict[str, Any]:
        """Return the client organization as the arguments of ``accept``."""
        client = self.cleaned_data.get("client")
        name = "" if client else self.cleaned_data.get("client_name", "")
        return {"client": client, "client_name": name}
