"""Keep at least one active super admin in each organization."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction

from console.accounts.models import Membership, Organization
from console.choices import Role


class LastSuperAdmin(Exception):
    """The change would leave an organization without a super admin; the message is for people."""


@contextmanager
def preserve_super_admins(organizations: Iterable[uuid.UUID]) -> Iterator[None]:
    """Run a change of people in a transaction that is undone if it removes the last super admin.

    ``organizations`` are the keys of the organizations that may lose someone. They are locked, so
    that two changes cannot each remove one of the last two. Raise :class:`LastSuperAdmin` if one
    of them had a super admin who could sign in and no longer has.
    """
    with transaction.atomic():
        keys = lock_organizations(organizations)
        before = _with_super_admin(keys)
        yield
        if lost := before - _with_super_admin(keys):
            name = Organization.objects.filter(pk__in=lost).values_list("name", flat=True).first()
            raise LastSuperAdmin(
                f"Nothing was changed: {name} would be left without a super admin. Make someone "
                "else super admin first."
            )


def lock_organizations(organizations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Lock organizations, and so their memberships, until the transaction ends."""
    rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=set(organizations))
    return set(rows.order_by("pk").values_list("pk", flat=True))


def _with_super_admin(organizations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    rows = Membership.objects.active().filter(
        organization__in=organizations, role=Role.SUPER_ADMIN, user__is_active=True
    )
    return set(rows.values_list("organization_id", flat=True))
