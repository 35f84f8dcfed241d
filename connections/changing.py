"""Change what a connection is called, what it asks for, and how its account is called here.

Who may not (any more) is refused with :class:`~console.accounts.authority.NotAllowed`, and who
has not seen what is there with :class:`~connections.optimistic_lock.ChangedMeanwhile`.
"""

from __future__ import annotations

from django.db import transaction

from connections.authorization_forms import LabelForm
from connections.forms import PermissionsForm, RenameForm
from connections.models import Authorization, Connection, Credential
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.acts import Act
from console.audit.recording import record


def rename(form: RenameForm, by: User) -> None:
    """Keep another name; raise ``IntegrityError`` where somebody just took it."""
    with transaction.atomic():
        before = _held(form.instance, by)
        connection = form.save()
        if before and before.name != connection.name:
            record(
                Act.CONNECTION_RENAMED,
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
                Act.CONNECTION_PERMISSIONS_CHANGED,
                connection.application.organization_id,
                by,
                connection,
                application=connection.application.name,
                all_actions=connection.all_actions or None,
                added=[scope for scope in now if scope not in was],
                removed=[scope for scope in was if scope not in now],
            )


def label(authorization: Authorization, form: LabelForm, by: User, action: Action) -> None:
    """Call an account by another name, wherever it is used."""
    with transaction.atomic():
        authority.hold(by, authorization.organization, action)
        rows = Credential.objects.select_for_update().defer("secret", "journal")
        before = rows.filter(pk=form.instance.pk).first()
        if before:
            form.refuse_unseen(before)
        credential = form.save()
        if before and before.label != credential.label:
            record(
                Act.AUTHORIZATION_LABELLED,
                authorization.organization_id,
                by,
                authorization.connection,
                account=credential.label,
                was=before.label,
            )


def _held(connection: Connection, by: User) -> Connection | None:
    """Return the row as it is, and let nobody else change it meanwhile, or what he may."""
    authority.hold(by, connection.application.organization, Action.MANAGE_CONNECTIONS)
    return Connection.objects.select_for_update().filter(pk=connection.pk).first()
