"""Set the tags of connections."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from connections.models import Connection, Tag
from connections.models.tag import clean_tags
from console.accounts import authority
from console.accounts.models import User
from console.accounts.policy import Action
from console.audit.actions import AuditAction
from console.audit.log import record


def set_tags(connection: Connection, names: Iterable[str], by: User) -> bool:
    """Give a connection exactly these tags; return whether that changed anything.

    Raise ``ValidationError`` for an invalid name, and
    :class:`~console.accounts.authority.NotAllowed` if the person may not do it.
    """
    return _change(connection, set(clean_tags(names)), set(), by, replace=True)


def add_tags(connection: Connection, names: Iterable[str], by: User) -> bool:
    """Give a connection these tags in addition to its own, as :func:`set_tags`."""
    return _change(connection, set(clean_tags(names)), set(), by)


def remove_tags(connection: Connection, names: Iterable[str], by: User) -> bool:
    """Take these tags from a connection, as :func:`set_tags`."""
    return _change(connection, set(), set(clean_tags(names)), by)


def _change(
    connection: Connection, added: set[str], removed: set[str], by: User, *, replace: bool = False
) -> bool:
    with transaction.atomic():
        organization = connection.application.organization
        authority.check_and_lock(by, organization, Action.MANAGE_CONNECTIONS)
        row = Connection.objects.created().select_for_update().filter(pk=connection.pk).first()
        if row is None:
            return False
        was = set(row.tags.values_list("name", flat=True))
        names = clean_tags((set() if replace else was - removed) | added)
        if was == set(names):
            return False
        Tag.objects.bulk_create(
            [Tag(organization=organization, name=name) for name in names], ignore_conflicts=True
        )
        row.tags.set(Tag.objects.filter(organization=organization, name__in=names))
        record(
            AuditAction.CONNECTION_TAGGED,
            organization,
            by,
            row,
            application=connection.application.name,
            added=sorted(set(names) - was),
            removed=sorted(was - set(names)),
        )
    return True
