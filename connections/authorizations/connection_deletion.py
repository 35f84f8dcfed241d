"""Delete a connection and revoke the grants of its authorizations."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from connections.authorizations.credential_erasure import revoke_and_erase_each
from connections.models import Connection, Credential
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.locks import lock_application
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.components.models import Component


class ConnectionInUse(Exception):
    """The connection cannot be deleted: components call it, or a release contains it."""

    def __init__(self, components: Iterable[Component], release: int | None) -> None:
        self.components, self.release = tuple(components), release
        super().__init__("The connection is in use.")


def find_uses(connection: Connection) -> ConnectionInUse | None:
    """Return what prevents the deletion of a connection, or ``None``."""
    components = Component.objects.filter(references__connection=connection)
    if components or connection.first_released:
        return ConnectionInUse(components, connection.first_released)
    return None


def delete_connection(connection: Connection, by: User) -> list[str]:
    """Delete a connection, revoke its grants, and return a sentence for each account.

    The connection is deleted in one transaction before the services are asked, so nothing is
    revoked for a connection that stays. Raise :class:`ConnectionInUse`, or
    :class:`~console.accounts.authority.NotAllowed` if the person may not delete it.
    """
    with transaction.atomic():
        application = lock_application(connection.application)
        authority.check_and_lock(by, application.organization, Action.MANAGE_CONNECTIONS)
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if in_use := find_uses(row):
            raise in_use
        credentials = Credential.objects.filter(authorizations__connection=row).distinct()
        used = dict(credentials.order_by("created_at").values_list("pk", "label"))
        subject = Subject.of(row)
        row.delete()
        record(
            AuditAction.CONNECTION_DELETED,
            application.organization_id,
            by,
            subject,
            application=application.name,
            accounts=list(used.values()),
        )
    return revoke_and_erase_each(used, by)
