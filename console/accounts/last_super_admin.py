"""An organization keeps an active super admin: whatever takes its last one away is undone."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction

from console.accounts.models import Membership, Organization
from console.choices import Role


class LastSuperAdmin(Exception):
    """What was to be done would leave an organization without a super admin; for people."""


@contextmanager
def keeping_super_admins(organizations: Iterable[uuid.UUID]) -> Iterator[None]:
    """Do something to people in one transaction; one after the other in an organization.

    ``organizations`` are the keys of those that may lose somebody. Raise
    :class:`LastSuperAdmin`, and undo all of it, where one of them had a super admin who
    could sign in and has none any more.
    """
    with transaction.atomic():
        keys = hold_organizations(organizations)
        before = _governed(keys)
        yield
        if lost := before - _governed(keys):
            name = Organization.objects.filter(pk__in=lost).values_list("name", flat=True).first()
            raise LastSuperAdmin(
                f"Nothing was changed: it would leave {name} without a super admin. Make "
                "somebody else super admin first."
            )


def hold_organizations(organizations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    """Let nobody else change who belongs to these until the transaction ends."""
    rows = Organization.objects.select_for_update(no_key=True).filter(pk__in=set(organizations))
    return set(rows.order_by("pk").values_list("pk", flat=True))


def _governed(organizations: Iterable[uuid.UUID]) -> set[uuid.UUID]:
    rows = Membership.objects.active().filter(
        organization__in=organizations, role=Role.SUPER_ADMIN, user__is_active=True
    )
    return set(rows.values_list("organization_id", flat=True))
