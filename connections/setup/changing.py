"""Change the name of a connection and the permissions that it asks for.

Who may not (any more) is refused with :class:`~console.accounts.authority.NotAllowed`, and who
has not seen what is there with :class:`~console.optimistic_lock.EditConflict`.
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
    """Keep another name; raise ``IntegrityError`` where somebody just took it."""
    with transaction.atomic():
        before = _held(form.instance, by)
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
    """Keep what the connection shall ask for from now on."""
    with transaction.atomic():
        before = _held(form.instance, by)
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


def _held(connection: Connection, by: User) -> Connection | None:
    """Return the row as it is, and let nobody else change it meanwhile, or what he may."""
    authority.check_and_lock(by, connection.application.organization, Action.MANAGE_CONNECTIONS)
    return Connection.objects.select_for_update().filter(pk=connection.pk).first()
