"""Forms for OAuth clients: who uses one, and the ID and secret of the service."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from django import forms
from django.db.models import QuerySet

from connections.models import Connection, OAuthClient
from connections.models.authorization_site import AuthorizationSite
from connections.models.oauth_client import CLIENT_ENVIRONMENTS, client_reference
from connectors.api.pasted_credential import NotACredential, visible_ascii
from connectors.definitions.registry import get_connectors
from connectors.definitions.schema import Connector
from connectors.definitions.typed_parameter import NotAParameter, typed_host
from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.optimistic_lock import ConflictCheckMixin

#: Where a client is valid. It cannot be changed later, because the redirect URI contains it.
CONTEXT_FIELDS = ("organization", "environment", "host")
EVERYBODY = "Every organization of this console"


class OAuthClientForm(ConflictCheckMixin, forms.ModelForm):
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
        fields = ["connector_slug", "name", *CONTEXT_FIELDS, "client_id"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].required = False
        if self.instance._state.adding:
            self.fields[
                "new_client_secret"
            ].help_text = "Stored encrypted and never shown again. Public clients have none."
        if "connector_slug" in self.fields:
            choice = cast(forms.ChoiceField, self.fields["connector_slug"])
            offered = get_connectors().items()
            services = [(slug, connector.name) for slug, connector in offered if connector.oauth2]
            choice.choices = [("", "Choose a service"), *services]

    def display_values(self, row: OAuthClient) -> dict[str, str]:
        return {"Name": row.name, "client_id": row.client_id}

    def clean_name(self) -> str:
        return self.cleaned_data["name"] or self.instance.name

    def clean_client_id(self) -> str:
        return _pasted(self.cleaned_data["client_id"], "client_id")

    def clean_new_client_secret(self) -> str:
        return _pasted(self.cleaned_data["new_client_secret"], "client_secret")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.instance._state.adding:
            self._check_name(self.instance.reference)
        elif "connector_slug" in cleaned:
            connector = get_connectors()[cleaned["connector_slug"]]
            cleaned["host"], problems = checked_host(
                connector, cleaned.get("host"), cleaned.get("organization")
            )
            for name, problem in problems.items():
                self.add_error(name, problem)
            context = [cleaned.get(name) or "" for name in CONTEXT_FIELDS[1:]]
            self._check_name(
                client_reference(connector.slug, cleaned.get("organization"), *context)
            )
        return cleaned

    def _check_name(self, reference: str) -> None:
        name = self.cleaned_data.get("name")
        same = OAuthClient.objects.filter(reference=reference, name__iexact=name)
        if not self.errors and name and same.exclude(pk=self.instance.pk).exists():
            self.add_error(
                "name",
                f"There is already a client named {name} for this. Choose another name, or change "
                "that client.",
            )

    def save(self, commit: bool = True) -> OAuthClient:
        if secret := self.cleaned_data["new_client_secret"]:
            self.instance.client_secret = secret
        return super().save(commit)


class ClientContextForm(forms.Form):
    """Who uses a client: the part of its redirect URI that a person chooses."""

    organization = forms.ChoiceField(label="Who uses it", required=False)
    environment = forms.ChoiceField(
        label="Environment",
        required=False,
        choices=[("", "Every environment"), *CLIENT_ENVIRONMENTS],
        help_text="Some companies register a separate client for each environment.",
    )
    host = forms.CharField(label="Host of the service", required=False, max_length=255)

    def __init__(self, *args: Any, connector: Connector, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.connector = connector
        self.organizations = {str(each.pk): each for each in organizations_for(user)}
        choices = [(key, each.name) for key, each in self.organizations.items()]
        # A service with a host of its own must not get the secret of another organization.
        if user.is_superuser and not connector.own_host:
            choices.insert(0, ("", EVERYBODY))
        cast(forms.ChoiceField, self.fields["organization"]).choices = choices
        self.is_for_everybody = bool(choices) and not choices[0][0]
        if connector.own_host:
            self.fields["host"].required = True
            self.fields["host"].help_text = "For example hub.example.com or hub.example.com:8443."
        else:
            del self.fields["host"]

    @property
    def needs_choice(self) -> bool:
        """Tell whether the redirect URI is unknown until the person has chosen something."""
        return len(cast(Any, self.fields["organization"]).choices) > 1 or self.connector.own_host

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        chosen = cleaned.get("organization")
        if not chosen and not self.is_for_everybody and self.organizations:
            chosen = next(iter(self.organizations))
        cleaned["organization"] = self.organizations.get(chosen or "")
        host, problems = checked_host(self.connector, cleaned.get("host"), cleaned["organization"])
        for name, problem in problems.items():
            if name in self.fields and name not in self.errors:
                self.add_error(name, problem)
        return cleaned | {"host": host}

    @property
    def reference(self) -> str:
        """Return the reference of a client that is registered for this."""
        chosen = self.cleaned_data
        return client_reference(
            self.connector.slug, chosen["organization"], chosen["environment"], chosen["host"]
        )


class ChosenClientForm(ConflictCheckMixin, forms.ModelForm):
    """The OAuth client of a connection: the default one, or another client of its connector."""

    class Meta:
        model = Connection
        fields = ["oauth_client"]
        widgets = {"oauth_client": forms.RadioSelect}
        labels = {"oauth_client": "OAuth client"}

    def __init__(self, *args: Any, clients: QuerySet[OAuthClient], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site = AuthorizationSite.of_connection(self.instance)
        default = replace(site, chosen_client=None).oauth_client("")
        field = cast(Any, self.fields["oauth_client"])
        field.queryset = clients
        field.empty_label = f"The default client{f', now {default.name}' if default else ''}"
        field.label_from_instance = lambda client: client.name

    def display_values(self, row: Connection) -> dict[str, str]:
        return {"OAuth client": row.oauth_client.name if row.oauth_client else "Default"}


def organizations_for(user: User) -> QuerySet[Organization]:
    """Return the organizations for which a person may register clients."""
    if user.is_superuser:
        return Organization.objects.all()
    return Organization.objects.allowing(user, Action.MANAGE_OAUTH_CLIENTS)


def checked_host(
    connector: Connector, text: str | None, organization: Organization | None
) -> tuple[str, dict[str, str]]:
    """Return the normalized host, and what is wrong with the host or the organization."""
    host, problems = (text or "").strip(), {}
    if connector.own_host:
        try:
            host = typed_host(host, connector)
        except NotAParameter as error:
            problems["host"] = f"{connector.name} needs its host. {error}"
        if organization is None:
            problems["organization"] = "A client for your own host must belong to one organization."
    elif host:
        problems["host"] = f"{connector.name} has a fixed host. Leave this empty."
    return host, problems


def _pasted(text: str, label: str) -> str:
    """Return a pasted value without the whitespace around it; reject other characters."""
    try:
        return visible_ascii(text, label)
    except NotACredential as error:
        raise forms.ValidationError(str(error)) from None
