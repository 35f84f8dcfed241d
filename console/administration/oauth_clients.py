"""OAuth clients in Administration: this console as registered with a service."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from connections.credentials.leases import clear_client_refusal
from connections.models import OAuthClient
from connections.models.oauth_client import client_reference
from connectors.api.pasted_credential import NotACredential, visible_ascii
from connectors.definitions.registry import connector_or_placeholder, get_connectors
from connectors.definitions.typed_parameter import NotAParameter, typed_host
from console.accounts.policy import Action
from console.administration.audit_mixin import AuditMixin
from console.administration.policy_admin import PolicyAdmin
from console.signing_in.reauthentication import ReauthenticationMixin


class OAuthClientForm(forms.ModelForm):
    """Accept a client secret without ever showing it; an empty field keeps the stored one."""

    connector_slug = forms.ChoiceField(label="Connector")
    new_client_secret = forms.CharField(
        label="client_secret",
        required=False,
        max_length=8_192,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text="Stored encrypted and never shown. Leave this empty to keep the stored secret.",
    )

    class Meta:
        model = OAuthClient
        fields = ["connector_slug", "organization", "environment", "host", "client_id"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "connector_slug" in self.fields:
            choice = cast(forms.ChoiceField, self.fields["connector_slug"])
            choice.choices = [
                (slug, connector.name)
                for slug, connector in get_connectors().items()
                if connector.oauth2
            ]

    def clean_client_id(self) -> str:
        return _pasted(self.cleaned_data["client_id"], "client_id")

    def clean_new_client_secret(self) -> str:
        return _pasted(self.cleaned_data["new_client_secret"], "client_secret")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance._state.adding and "connector_slug" in cleaned:
            self._check_context(cleaned)
        return cleaned

    def _check_context(self, cleaned: dict[str, Any]) -> None:
        connector = get_connectors()[cleaned["connector_slug"]]
        host = cleaned["host"] = (cleaned.get("host") or "").strip()
        if connector.own_host:
            try:
                host = cleaned["host"] = typed_host(host, connector)
            except NotAParameter as error:
                self.add_error("host", f"{connector.name} needs its host. {error}")
            if not cleaned.get("organization"):
                self.add_error(
                    "organization", "A client for your own host must belong to one organization."
                )
        elif host:
            self.add_error("host", f"{connector.name} has a fixed host. Leave this empty.")
        reference = client_reference(
            connector.slug, cleaned.get("organization"), cleaned.get("environment", ""), host
        )
        if not self.errors and OAuthClient.objects.filter(reference=reference).exists():
            raise forms.ValidationError(
                f"{connector.name} is already registered for this. Change that client instead."
            )

    def save(self, commit: bool = True) -> OAuthClient:
        if secret := self.cleaned_data["new_client_secret"]:
            self.instance.client_secret = secret
        if not self.instance._state.adding:
            clear_client_refusal(self.instance)
        return super().save(commit)


def _pasted(text: str, label: str) -> str:
    """Return a pasted value without the whitespace around it; reject other characters."""
    try:
        return visible_ascii(text, label)
    except NotACredential as error:
        raise forms.ValidationError(str(error)) from None


class OAuthClientAdmin(ReauthenticationMixin, AuditMixin, PolicyAdmin):
    """OAuth clients: the redirect URI to register at a service, and the ID and secret it gave."""

    action = Action.MANAGE_OAUTH_CLIENTS
    form = OAuthClientForm
    list_display = ["connector_name", "organization", "environment", "host", "client_id"]
    list_filter = ["connector_slug"]
    search_fields = ["connector_slug", "client_id"]
    fields = [
        "connector_slug",
        "organization",
        "environment",
        "host",
        "redirect_uri",
        "client_id",
        "new_client_secret",
    ]

    @admin.display(description="Connector", ordering="connector_slug")
    def connector_name(self, client: OAuthClient) -> str:
        return connector_or_placeholder(client.connector_slug).name

    @admin.display(description="redirect_uri")
    def redirect_uri(self, client: OAuthClient) -> str:
        """Show the redirect URI to register at the service."""
        return client.redirect_uri if client.pk and client.reference else "Shown after you save."

    def get_readonly_fields(
        self, request: HttpRequest, obj: OAuthClient | None = None
    ) -> list[str]:
        """Keep what the secret is for: for another connector or host, register another client."""
        fixed = ["redirect_uri"]
        return [*fixed, "connector_slug", "organization", "environment", "host"] if obj else fixed

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        return {key: value for key, value in initial.items() if key in self.fields}
