"""One file of an organization at a time: to read one may take a few seconds of a processor.

It is a lease and no lock of a row: a transaction that stays open while a file is read would
keep every other writer of SQLite waiting.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db.models.functions import Now

from console.accounts.models import Organization
from console.transfer.models import ImportLease

#: Longer than the largest file takes; a process that died with it keeps nobody out for longer.
LEASE = timedelta(seconds=60)


class ImportInProgress(Exception):
    """Another file of the organization is being read."""


@contextmanager
def import_lease(organization: Organization) -> Iterator[None]:
    """Hold the organization's lease, or raise :class:`ImportInProgress`."""
    ImportLease.objects.filter(organization=organization, until__lt=Now()).delete()
    mine = ImportLease(organization=organization, owner=secrets.token_hex(16), until=Now() + LEASE)
    ImportLease.objects.bulk_create([mine], ignore_conflicts=True)
    held = ImportLease.objects.filter(organization=organization, owner=mine.owner)
    if not held.exists():
        raise ImportInProgress(
            f"Another file is being imported into {organization} just now. Try again in a minute."
        )
    try:
        yield
    finally:
        held.delete()
