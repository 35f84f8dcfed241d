"""A lease that allows one import at a time in an organization: reading a file takes CPU time.

It is not a row lock: a transaction that stays open while a file is read would block every other
writer in SQLite.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models.functions import Now

from console.accounts.models import Organization
from console.transfer.models import ImportLease

#: Longer than reading the largest file takes. After a crash, imports are blocked for this long.
LEASE = timedelta(seconds=60)


class ImportInProgress(Exception):
    """Another file is being imported into the organization."""


@contextmanager
def import_lease(organization: Organization) -> Iterator[None]:
    """Hold the organization's lease, or raise :class:`ImportInProgress`."""
    ImportLease.objects.filter(organization=organization, until__lt=Now()).delete()
    mine = ImportLease(organization=organization, owner=secrets.token_hex(16), until=Now() + LEASE)
    ImportLease.objects.bulk_create([mine], ignore_conflicts=True)
    held = ImportLease.objects.filter(organization=organization, owner=mine.owner)
    if not held.exists():
        raise ImportInProgress(
            f"Another file is being imported into {organization}. Try again in a minute."
        )
    try:
        yield
    finally:
        held.delete()
