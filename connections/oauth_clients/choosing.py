"""Choose the OAuth client of a connection."""

from __future__ import annotations

from django.db import transaction

from connections.models import Authorization, Connection
from connections.oauth_clients.forms import ChosenClientForm
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record
from console.choices import Environment


def choose(form: ChosenClientForm, by: User) -> None:
    """Save the client that authorizes a connection from its next authorization on.

    Raise ``NotAllowed``, :class:`~console.optimistic_lock.EditConflict`, or ``IntegrityError`` if
    the client was just deleted.
    """
    with transaction.atomic():
        connection: Connection = form.instance
        organization = connection.application.organization
        authority.check_and_lock(by, organization, Action.MANAGE_CONNECTIONS)
        rows = Connection.objects.select_for_update(of=("self",)).filter(pk=connection.pk)
        before = rows.select_related("oauth_client").get()
        form.raise_on_conflict(before)
        if before.oauth_client_id == connection.oauth_client_id:
            return
        connection.save(update_fields=["oauth_client", "updated_at"])
        names = form.display_values(before), form.display_values(connection)
        was, now = (each["OAuth client"] for each in names)
        record(
            AuditAction.CONNECTION_OAUTH_CLIENT_CHANGED,
            organization,
            by,
            connection,
            application=connection.application.name,
            client=now,
            was=was,
        )


def to_authorize_again(connection: Connection) -> int:
    """Count the developers' authorizations that were given through another OAuth client."""
    given = Authorization.objects.filter(connection=connection, credential__client__isnull=False)
    given = given.exclude(environment=Environment.PRODUCTION)
    if connection.oauth_client_id:
        return given.exclude(credential__client=connection.oauth_client_id).count()
    return given.exclude(credential__client__is_default=True).count()
