"""Change who authorizes a connection, and for which environments, until somebody has."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db import transaction

from connections.models import Authorization, Connection, Flow
from connections.setup.forms import LevelForm
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record


class LevelInUse(Exception):
    """Somebody has authorized the connection, and the authorization depends on these settings."""


class LevelAndEnvironmentsForm(LevelForm):
    """The level and the environments of a created connection."""

    class Meta:
        model = Connection
        fields = ["level", "separate_environments"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["separate_environments"] = forms.BooleanField(
            label="Use different authorizations for each environment",
            required=False,
            initial=self.instance.separate_environments,
        )

    def display_values(self, row: Connection) -> dict[str, str]:
        separate = "Different authorizations for each environment"
        return {
            **super().display_values(row),
            "Environments": separate if row.separate_environments else "One for both",
        }


def authorizations_in_use(connection: Connection) -> int:
    """Count the authorizations that depend on the level and the environments."""
    return Authorization.objects.filter(connection=connection, credential__isnull=False).count()


def change_level(form: LevelAndEnvironmentsForm, by: User) -> None:
    """Save level and environments; authorizations in progress are stopped.

    Raise :class:`LevelInUse` if somebody has authorized the connection in the meantime,
    :class:`~console.optimistic_lock.EditConflict`, or
    :class:`~console.accounts.authority.NotAllowed`.
    """
    organization = form.instance.application.organization
    with transaction.atomic():
        authority.check_and_lock(by, organization, Action.MANAGE_CONNECTIONS)
        before = Connection.objects.select_for_update().filter(pk=form.instance.pk).first()
        if before is None:
            return
        if authorizations_in_use(before):
            raise LevelInUse
        connection = form.save()
        was = before.level, before.separate_environments
        if was == (connection.level, connection.separate_environments):
            return
        Flow.objects.filter(connection=connection).stop(
            "The level or the environments of the connection were changed. Authorize it again."
        )
        Authorization.objects.filter(connection=connection).delete()
        record(
            AuditAction.CONNECTION_LEVEL_CHANGED,
            organization,
            by,
            connection,
            application=connection.application.name,
            level=connection.get_level_display(),
            separate_environments=connection.separate_environments,
        )
