"""OAuth clients in Administration: this console as registered with a service."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from connections.credentials.leases import clear_client_refusal
from connections.models import OAuthClient
from connections.oauth_clients.forms import OAuthClientForm
from connections.oauth_clients.registering import why_kept
from connectors.definitions.registry import connector_or_placeholder
from console.accounts.policy import Action
from console.administration.audit_mixin import AuditMixin
from console.administration.policy_admin import PolicyAdmin
from console.signing_in.reauthentication import ReauthenticationMixin


class OAuthClientAdmin(ReauthenticationMixin, AuditMixin, PolicyAdmin):
    """OAuth clients: the redirect URI to register at a service, and the ID and secret it gave."""

    action = Action.MANAGE_OAUTH_CLIENTS
    form = OAuthClientForm
    list_display = [
        "connector_name",
        "name",
        "is_default",
        "organization",
        "environment",
        "host",
        "client_id",
    ]
    list_filter = ["connector_slug"]
    search_fields = ["connector_slug", "name", "client_id"]
    fields = [
        "connector_slug",
        "name",
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

    def save_model(self, request: HttpRequest, obj: OAuthClient, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if change:
            clear_client_refusal(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Keep clients that are in use, and the default one of several."""
        *found, protected = super().get_deleted_objects(objs, request)
        kept = [problem for client in objs if (problem := why_kept(client))]
        return *found, [*protected, *kept]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        initial = super().get_changeform_initial_data(request)
        return {key: value for key, value in initial.items() if key in self.fields}
