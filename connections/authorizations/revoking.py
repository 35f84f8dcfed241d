"""Revoke authorizations: here at once, and then at the service (``revocation.py``)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from connections.authorizations.revocation_request import (
    erase,
    erase_each,
    is_asked,
    not_asked,
    prospect,
)
from connections.models import Authorization, Connection, Credential, Flow
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.locks import lock_application
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.components.models import Component


def revoke(authorization: Authorization, by: User) -> str:
    """End an authorization and return what became of it, in a sentence or more.

    From the first commit on nothing uses the credential here, and an exchange of a code that
    is under way comes to nothing. The service is asked to revoke the grant only when no other
    authorization uses it.
    """
    reason = f"Revoked by {by}."
    with transaction.atomic():
        _stop_exchanges(authorization, reason)
        row = Authorization.objects.select_for_update().get(pk=authorization.pk)
        row.credential, credential = None, row.credential
        is_news = credential is not None or row.state != Authorization.State.REVOKED
        row.state = Authorization.State.REVOKED
        row.reason = reason
        row.save()
        in_use = credential is not None and credential.authorizations.exists()
        if is_news:
            record(
                AuditAction.AUTHORIZATION_REVOKED,
                row.organization_id,
                by,
                authorization.connection,
                account=credential.label if credential else None,
                environments=[row.environment],
                at_the_service=_at_the_service(credential, in_use=in_use),
            )
    service = authorization.connection.connector.name
    if credential is None:
        return f"There was nothing left to revoke at {service}."
    if in_use:
        return still_connected(credential)
    outcome = erase(credential.pk, by)
    return outcome.sentence if outcome else ""


def _stop_exchanges(authorization: Authorization, reason: str) -> None:
    """Let no code that is being exchanged authorize it again.

    A flow that is still at the service's page goes on: somebody agrees there after this.
    """
    flows = Flow.objects.filter(
        connection=authorization.connection_id,
        organization=authorization.organization_id,
        outcome=Flow.Outcome.EXCHANGING,
    )
    if authorization.user_id:
        flows = flows.filter(user=authorization.user_id)
    keys = [
        pk for pk, e in flows.values_list("pk", "environments") if authorization.environment in e
    ]
    flows.filter(pk__in=keys).stop(reason)


def _at_the_service(credential: Credential | None, *, in_use: bool) -> str:
    """Say what is known before the service is asked; what it did then is an event of its own."""
    if credential is None:
        return ""
    if in_use:
        return still_connected(credential)
    return "" if is_asked(credential) else not_asked(credential).sentence


def still_connected(credential: Credential) -> str:
    """Say that a grant outlives one of its authorizations."""
    return (
        f"{credential.label} stays connected at {credential.connector.name}, because another "
        "authorization uses it too."
    )


def promise(authorization: Authorization) -> str:
    """Say what revoking it will do at the service, before anybody decides."""
    credential = authorization.credential
    if credential is None:
        service = authorization.connection.connector.name
        return f"There is nothing left to revoke at {service}."
    others = credential.authorizations.exclude(pk=authorization.pk)
    return still_connected(credential) if others.exists() else prospect(credential)


class StillHeld(Exception):
    """A connection that cannot go: components call it, or a release holds it."""

    def __init__(self, components: Iterable[Component], release: int | None) -> None:
        self.components, self.release = tuple(components), release
        super().__init__("The connection is still held.")


def holders(connection: Connection) -> StillHeld | None:
    """Say what keeps a connection from being deleted, or return ``None``."""
    components = Component.objects.filter(references__connection=connection)
    if components or connection.first_released:
        return StillHeld(components, connection.first_released)
    return None


def delete(connection: Connection, by: User) -> list[str]:
    """Delete a connection, revoke its authorizations, and say what became of each account.

    First it is gone here, in one step, and then the services are asked: nothing is revoked
    for a connection that stays. Raise :class:`StillHeld`, or
    :class:`~console.accounts.authority.NotAllowed` where the person may not (any more).
    """
    with transaction.atomic():
        application = lock_application(connection.application)
        authority.check_and_lock(by, application.organization, Action.MANAGE_CONNECTIONS)
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if held := holders(row):
            raise held
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
    return erase_each(used, by)
