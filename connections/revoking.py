"""Give a grant back to the service, and erase it here whatever the service says."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from connections.models import Authorization, Connection, Credential
from connections.referencing import hold
from connectors import oauth2
from connectors.errors import ServiceError
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Component
from console.audit.acts import Act
from console.audit.recording import Subject, record


def revoke(authorization: Authorization, by: User) -> str:
    """End an authorization and return what became of it, in one sentence.

    From the first commit on nothing uses the credential here. It is asked back from the
    service only when no other authorization uses it.
    """
    with transaction.atomic():
        row = Authorization.objects.select_for_update().get(pk=authorization.pk)
        row.credential, credential = None, row.credential
        is_news = credential is not None or row.state != Authorization.State.REVOKED
        row.state = Authorization.State.REVOKED
        row.reason = f"Revoked by {by}."
        row.save()
        in_use = credential is not None and credential.authorizations.exists()
        if is_news:
            record(
                Act.AUTHORIZATION_REVOKED,
                row.organization_id,
                by,
                authorization.connection,
                account=credential.label if credential else None,
                environments=[row.environment],
            )
    service = authorization.connection.connector.name
    if credential is None:
        return f"There was nothing left to revoke at {service}."
    if in_use:
        return (
            f"{credential.label} stays connected at {service}, because another "
            "authorization uses it too."
        )
    sentence = give_back(credential)
    Credential.objects.filter(pk=credential.pk).delete()
    return sentence


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


def delete(connection: Connection, by: User) -> None:
    """Delete a connection and give its authorizations back.

    First it is gone here, in one step, and then the services are told: nothing is given
    back for a connection that stays. Raise :class:`StillHeld`, or
    :class:`~console.accounts.authority.NotAllowed` where the person may not (any more).
    """
    with transaction.atomic():
        application = hold(connection.application)
        authority.hold(by, application.organization, Action.MANAGE_CONNECTIONS)
        row = Connection.objects.select_for_update().get(pk=connection.pk)
        if held := holders(row):
            raise held
        credentials = Credential.objects.filter(authorizations__connection=row).distinct()
        used = list(credentials.select_related("client"))
        subject = Subject.of(row)
        row.delete()
        unused = discard_unused(used)
        record(
            Act.CONNECTION_DELETED,
            application.organization_id,
            by,
            subject,
            application=application.name,
            accounts=[credential.label for credential in used],
        )
    for credential in unused:
        give_back(credential)


def discard_unused(credentials: Iterable[Credential]) -> list[Credential]:
    """Erase the credentials that no authorization uses any more and return them."""
    unused = [c for c in credentials if not c.authorizations.exists()]
    Credential.objects.filter(pk__in=[c.pk for c in unused]).delete()
    return unused


def give_back(credential: Credential) -> str:
    """Ask the service to forget a grant (RFC 7009) and say what became of that."""
    connector = credential.connector
    by_hand = f"It is erased here; you can withdraw it in your account at {connector.name}, too."
    if connector.oauth2 is None or credential.auth_type != "oauth2":
        return f"The credential is erased here. {connector.name} was not told: change it there."
    if connector.oauth2.revocation is None:
        return f"{connector.name} offers no way to revoke. {by_hand}"
    try:
        oauth2.revoke(
            connector,
            client=credential.client.credentials,
            tokens=credential.secret.reveal(),
            values=credential.values,
        )
    except ServiceError as error:
        return f"{error} {by_hand}"
    return f"{connector.name} has withdrawn the access."
