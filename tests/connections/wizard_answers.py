"""Answer the questions of the wizard."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from connections.models import Connection


def url(draft: Connection, step: str) -> str:
    return reverse("connection_setup", args=[draft.pk, step])


def name_form(draft: Connection, **changed: str) -> dict[str, str]:
    parameters = {f"parameter_{name}": value for name, value in draft.parameters.items()}
    form = {"name": draft.name, "application": str(draft.application_id), **parameters}
    if len(draft.connector.auth_types) > 1:
        form["auth_type"] = draft.auth_type
    return form | changed


def finish(client: Client, draft: Connection, scopes: list[str] | None = None):
    """Answer every question and press *Create and Authorize*."""
    client.post(url(draft, "name"), name_form(draft))
    client.post(url(draft, "level"), {"level": "administrator"})
    if draft.auth_type == "oauth2":
        client.post(
            url(draft, "permissions"), {"scopes": scopes} if scopes else {"all_actions": "on"}
        )
    return client.post(url(draft, "environments"), {"create": "1"})
