"""Change the name of a connection, or the permissions that it requests.

Both functions raise :class:`~console.accounts.authority.NotAllowed` if the person may not do it,
and :class:`~console.optimistic_lock.EditConflict` if the values changed since they were shown.
"""

from __future__ import annotations

from django.db import transaction

from connections.models import Connection
from connections.setup.forms import PermissionsForm, RenameForm
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record


def rename(form: RenameForm, by: User) -> None:
    """Save a new name; raise ``IntegrityError`` if another connection just took it."""
    with transaction.atomic():
        before = _lock(form.instance, by)
        connection = form.save()
        if before and before.name != connection.name:
            record(
                AuditAction.CONNECTION_RENAMED,
                connection.application.organization_id,
                by,
                connection,
                application=connection.application.name,
                was=before.name,
            )


def change_permissions(form: PermissionsForm, by: User) -> None:
    """Save the permissions that the connection requests from its next authorization on."""
    with transaction.atomic():
        before = _lock(form.instance, by)
        connection = form.save()
        if before and before.scopes_asked != connection.scopes_asked:
            was, now = before.scopes_asked, connection.scopes_asked
            record(
                AuditAction.CONNECTION_PERMISSIONS_CHANGED,
                connection.application.organization_id,
                by,
                connection,
                application=connection.application.name,
                all_actions=connection.all_actions or None,
                added=[scope for scope in now if scope not in was],
                removed=[scope for scope in was if scope not in now],
            )


def _lock(connection: Connection, by: User) -> Connection | None:
    """Lock the person's authority and the connection's row; return the row as saved."""
    authority.check_and_lock(by, connection.application.organization, Action.MANAGE_CONNECTIONS)
    return Connection.objects.select_for_update().filter(pk=connection.pk).first()
