"""From a card in the gallery to a created connection: the draft row is the wizard's state."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections.models import Connection
from connections.setup.default_names import default_link_name, default_name
from connectors.definitions.schema import Connector
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application
from console.audit.actions import AuditAction
from console.audit.log import record

#: The questions of the wizard, in their order.
STEPS: dict[str, str] = {
    "name": "Name",
    "level": "Who authorizes",
    "permissions": "Permissions",
    "environments": "Environments",
}


def start(user: User, application: Application, connector: Connector) -> Connection:
    """Return this person's draft for the connector: the one he left, or a new one."""
    draft, _ = Connection.objects.get_or_create(
        application=application,
        connector_slug=connector.slug,
        created_by=user,
        status=Connection.Status.DRAFT,
        defaults={
            "name": default_name(application, connector),
            "auth_type": connector.auth_types[0],
            "parameters": {p.name: p.default for p in connector.parameters if p.default},
        },
    )
    return draft


def create(draft: Connection, user: User) -> Connection:
    """Turn a finished draft into a connection and give it its link name for ever.

    Raise :class:`ValidationError` naming the field where a choice is still missing or
    the name was taken meanwhile. A draft that a second tab has created already is
    returned as it is. Raise :class:`~console.accounts.authority.NotAllowed` where the person
    may not make one (any more).
    """
    faults = unfinished(draft)
    if faults:
        raise ValidationError(faults)
    for _ in range(3):  # another connection may take the link name between look and save
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


def unfinished(draft: Connection) -> dict[str, str]:
    """Say, by field or by question of the wizard, what a draft still lacks."""
    faults = {
        step: f"“{STEPS[step]}” is not answered yet, so nobody has chosen what is written there."
        for step in steps_of(draft)
        if step not in draft.answered
    }
    if name_taken(draft, draft.name):
        suggestion = default_name(draft.application, draft.connector)
        faults["name"] = (
            f"{draft.application} already has a connection named {draft.name}. "
            f"{suggestion} is free."
        )
    for parameter in draft.connector.parameters:
        if not parameter.accepts(draft.parameters.get(parameter.name, "")):
            faults[parameter.name] = f"{parameter.label} is still missing."
    oauth2 = draft.connector.oauth2 if draft.auth_type == "oauth2" else None
    if oauth2 and not draft.all_actions and not draft.scopes and oauth2.modules:
        faults["scopes"] = "Choose at least one permission, or All Actions."
    return faults


def steps_of(draft: Connection) -> list[str]:
    """Name the questions that a draft has: permissions are for OAuth 2 alone."""
    return [step for step in STEPS if step != "permissions" or draft.auth_type == "oauth2"]


def name_taken(connection: Connection, name: str) -> bool:
    """Tell whether another connection of the application has this name already."""
    return (
        Connection.objects.created()
        .filter(application=connection.application_id, name__iexact=name)
        .exclude(pk=connection.pk)
        .exists()
    )
