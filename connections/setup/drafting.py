"""Create a connection with the wizard. The wizard keeps its state in a draft connection."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections.models import Connection
from connections.setup.default_names import default_link_name, default_name
from connectors.definitions.auth_type import AuthType
from connectors.definitions.schema import Connector
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record

#: Steps of the wizard in order, with their titles.
STEPS: dict[str, str] = {
    "name": "Name",
    "level": "Who authorizes",
    "permissions": "Permissions",
    "environments": "Environments",
}


def propose(user: User, application: Application, connector: Connector) -> Connection:
    """Return the person's unfinished draft for the connector, or an unsaved one with defaults."""
    draft = Connection.objects.drafts().filter(**_draft_key(user, application, connector)).first()
    return draft or Connection(
        **_draft_key(user, application, connector), **_defaults(application, connector)
    )


def start(user: User, application: Application, connector: Connector, **answers: Any) -> Connection:
    """Return the person's unfinished draft for the connector, or save a new one with answers."""
    draft, _ = Connection.objects.drafts().get_or_create(
        **_draft_key(user, application, connector),
        defaults={**_defaults(application, connector), **answers},
    )
    return draft


def accept_defaults(draft: Connection) -> Connection:
    """Answer all remaining steps with what the draft shows; return the draft as saved."""
    with transaction.atomic():
        row = Connection.objects.select_for_update().get(pk=draft.pk)
        if row.is_draft:
            if row.auth_type == AuthType.OAUTH2 and not row.scopes:
                row.all_actions = True
            row.answered = steps_of(row)
            row.save()
    return row


def settings_of(draft: Connection) -> list[tuple[str, str]]:
    """Return the answers of the steps after the name, each with its step.

    They are defaults until a person changes them. Permissions are shown if the connector has any.
    """
    settings = {
        "level": draft.get_level_display(),
        "permissions": permissions_of(draft) if draft.scopes else "All Actions",
        "environments": "Different authorizations for each environment"
        if draft.separate_environments
        else "Same authorization in all environments",
    }
    if AuthType.OAUTH2 not in draft.connector.auth_types:
        del settings["permissions"]
    return list(settings.items())


def create(draft: Connection, user: User) -> Connection:
    """Turn a complete draft into a connection and give it its permanent link name.

    If another tab has already created it, return it unchanged. Raise :class:`ValidationError`,
    by field, if an answer is missing or the name has been taken in the meantime. Raise
    :class:`~console.accounts.authority.NotAllowed` if the person may not create connections.
    """
    errors = draft_errors(draft)
    if errors:
        raise ValidationError(errors)
    for _ in range(3):  # another connection may take the link name between the query and the save
        try:
            with transaction.atomic():
                authority.check_and_lock(
                    user, draft.application.organization, Action.MANAGE_CONNECTIONS
                )
                row = Connection.objects.select_for_update().get(pk=draft.pk)
                if row.is_draft:
                    row.link_name = default_link_name(row.application, row.name, row.connector)
                    row.status = Connection.Status.CREATED
                    row.save()
                    record(
                        AuditAction.CONNECTION_CREATED,
                        row.application.organization_id,
                        user,
                        row,
                        application=row.application.name,
                        service=row.connector.name,
                        level=row.get_level_display(),
                        all_actions=row.all_actions or None,
                        scopes=row.scopes,
                    )
                return row
        except IntegrityError:
            continue
    raise ValidationError({"name": "Another connection just took this name. Choose another one."})


def permissions_of(draft: Connection) -> str:
    """Return the chosen permissions in words: all of them, or how many."""
    count = len(draft.scopes)
    return "All Actions" if draft.all_actions else f"{count} permission{'' if count == 1 else 's'}"


def draft_errors(draft: Connection) -> dict[str, str]:
    """Return what a draft still lacks: sentences by field or by step of the wizard."""
    errors = {
        step: f"The step “{STEPS[step]}” is not confirmed yet. Check it and press Next."
        for step in steps_of(draft)
        if step not in draft.answered
    }
    if is_name_taken(draft, draft.name):
        suggestion = default_name(draft.application, draft.connector)
        errors["name"] = (
            f"{draft.application} already has a connection named {draft.name}. "
            f"{suggestion} is free."
        )
    for parameter in draft.connector.parameters:
        if not parameter.accepts(draft.parameters.get(parameter.name, "")):
            errors[parameter.name] = f"{parameter.label} is missing."
    oauth2 = draft.connector.oauth2 if draft.auth_type == AuthType.OAUTH2 else None
    if oauth2 and not draft.all_actions and not draft.scopes and oauth2.modules:
        errors["scopes"] = "Choose at least one permission, or All Actions."
    return errors


def steps_of(draft: Connection) -> list[str]:
    """Return the steps of a draft. Only OAuth 2 has permissions."""
    return [step for step in STEPS if step != "permissions" or draft.auth_type == AuthType.OAUTH2]


def _draft_key(user: User, application: Application, connector: Connector) -> dict[str, Any]:
    return {
        "application": application,
        "connector_slug": connector.slug,
        "created_by": user,
        "status": Connection.Status.DRAFT,
    }


def _defaults(application: Application, connector: Connector) -> dict[str, Any]:
    return {
        "name": default_name(application, connector),
        "auth_type": connector.auth_types[0],
        "parameters": {p.name: p.default for p in connector.parameters if p.default},
    }


def is_name_taken(connection: Connection, name: str) -> bool:
    """Return whether another connection of the application has this name."""
    return (
        Connection.objects.created()
        .filter(application=connection.application_id, name__iexact=name)
        .exclude(pk=connection.pk)
        .exists()
    )
