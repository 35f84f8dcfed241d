"""Register, change and delete OAuth clients, choose the default one, and move connections.

Each function runs in a transaction of its own, in which it checks the permission of ``by``
(``NotAllowed``; operators may do everything). ``by`` is none for commands of the operator.
"""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import ProtectedError

from connections.credentials.leases import clear_client_refusal
from connections.models import Connection, OAuthClient
from connections.oauth_clients.client_uses import connections_using
from connections.oauth_clients.forms import OAuthClientForm
from console.accounts import authority
from console.accounts.models import Organization, User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import AuditEntry, Subject, record, record_in_each


class ClientKept(Exception):
    """The client cannot be deleted; the message is for people."""


def register(form: OAuthClientForm, by: User | None) -> OAuthClient:
    """Save a new client. The first one for its context becomes the default.

    Raise ``IntegrityError`` if another client just took its name, or became the default.
    """
    with transaction.atomic():
        _check(form.cleaned_data.get("organization"), by)
        client = form.save()
        record(AuditAction.OAUTH_CLIENT_CREATED, client.organization_id, by, client)
    return client


def change(form: OAuthClientForm, by: User | None) -> OAuthClient:
    """Save the name, ID or secret of a client; refused renewals are tried again.

    Raise :class:`~console.optimistic_lock.EditConflict` if it changed since it was shown.
    """
    was = str(form.initial.get("name", ""))
    with transaction.atomic():
        _check(form.instance.organization, by)
        form.raise_on_conflict(OAuthClient.objects.select_for_update().get(pk=form.instance.pk))
        client = form.save()
        clear_client_refusal(client)
        record(
            AuditAction.OAUTH_CLIENT_CHANGED,
            client.organization_id,
            by,
            client,
            fields=sorted(form.changed_data),
            was=was if was != client.name else None,
        )
    return client


def make_default(client: OAuthClient, by: User) -> None:
    """Make a client the default. Authorizations that exist keep the client that they have."""
    with transaction.atomic():
        _check(client.organization, by)
        same = OAuthClient.objects.filter(reference=client.reference)
        rows = list(same.select_for_update(of=("self",)).order_by("pk"))
        was = next((row for row in rows if row.is_default), None)
        if was and was.pk == client.pk:
            return
        same.filter(is_default=True).update(is_default=False)
        same.filter(pk=client.pk).update(is_default=True)
        record(
            AuditAction.OAUTH_CLIENT_MADE_DEFAULT,
            client.organization_id,
            by,
            client,
            was=was.name if was else None,
        )


def why_kept(client: OAuthClient) -> str:
    """Return why a client cannot be deleted; empty if it can."""
    if number := connections_using(client).count():
        return (
            f"{number} connection{' uses' if number == 1 else 's use'} {client.name}. Move "
            f"{'it' if number == 1 else 'them'} to another client, and authorize "
            f"{'it' if number == 1 else 'them'} again, before you delete it."
        )
    if client.is_default and client.siblings.exists():
        return f"{client.name} is the default client. Make another one the default first."
    return ""


def delete(client: OAuthClient, by: User) -> None:
    """Delete a client; raise :class:`ClientKept` if it is in use, or the default of several."""
    with transaction.atomic():
        _check(client.organization, by)
        row = OAuthClient.objects.select_for_update(of=("self",)).get(pk=client.pk)
        if problem := why_kept(row):
            raise ClientKept(problem)
        subject = Subject.of(row)
        try:
            row.delete()
        except ProtectedError:
            raise ClientKept(
                f"An account that was authorized with {client.name} is still being revoked. Try "
                "again in a few minutes."
            ) from None
        record(AuditAction.OAUTH_CLIENT_DELETED, client.organization_id, by, subject)


def move_connections(client: OAuthClient, target: OAuthClient, by: User) -> int:
    """Choose another client for all connections that use one; return how many there were.

    Authorizations that exist keep their client until they are given again.
    """
    if target.reference != client.reference:
        raise ValueError("These clients are not for the same service, organization and host.")
    with transaction.atomic():
        _check(client.organization, by)
        using = connections_using(client).exclude(oauth_client=target)
        if client.organization_id:  # connections of its developers choose for themselves
            using = using.filter(application__organization=client.organization_id)
        keys = list(using.values_list("pk", flat=True))
        rows = Connection.objects.select_for_update(of=("self",)).filter(pk__in=keys)
        moved = list(rows.select_related("application").order_by("pk"))
        rows.update(oauth_client=target)
        entries: dict[uuid.UUID, list[AuditEntry]] = {}
        for connection in moved:
            entry = AuditEntry(
                action=AuditAction.CONNECTION_OAUTH_CLIENT_CHANGED,
                subject=Subject.of(connection),
                details={
                    "application": connection.application.name,
                    "client": target.name,
                    "was": client.name,
                },
            )
            entries.setdefault(connection.application.organization_id, []).append(entry)
        record_in_each(entries, by)
    return len(moved)


def _check(organization: Organization | None, by: User | None) -> None:
    """Check and lock the permission to manage the clients of an organization."""
    if by is None or by.is_superuser:
        return
    if organization is None:
        raise authority.NotAllowed("Only operators manage clients of every organization.")
    authority.check_and_lock(by, organization, Action.MANAGE_OAUTH_CLIENTS)
