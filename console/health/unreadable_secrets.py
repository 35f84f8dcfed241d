"""Sealed values that do not open: looked for a few at a time, named, and shown to who can help.

The key ring is the right one, as its sentinel says; so it is the value that is damaged, or
was sealed with a key that was taken away before its time.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Exists, Q, QuerySet

from console.accounts.models import Organization
from console.accounts.policy import Action
from console.encryption.encrypted_rows import EncryptedRows, all_encrypted_rows, load_progress, scan
from console.encryption.fernet_keys import SecretUnreadable
from console.encryption.key_sentinel import refuse_wrong_key_ring
from console.encryption.models import ScanProgress
from console.health.models import UnreadableSecret

NAME = "check"
#: How many rows a round visits, so that it takes no more than about a second.
ROWS_A_ROUND = 5_000
PAGE = 500
#: Beyond this it is no matter of single values, and people need no longer list.
MOST = 1_000
CREDENTIAL = "connections.credential"


def look_through() -> int:
    """Visit the next rows, and again those found before; return how many do not open."""
    everything = all_encrypted_rows()
    refuse_wrong_key_ring(everything)
    _forget_healed({each.label: each for each in everything})
    progress = load_progress(NAME)
    visited = 0
    for page in scan(everything, progress, PAGE):
        closed = [
            (row, name) for row, name, _ in page.values() if not _opens(page.rows_of, row, name)
        ]
        with transaction.atomic():
            for row, name in closed:
                _note(page.rows_of, row, name)
            progress.save()
        visited += len(page.rows)
        if visited >= ROWS_A_ROUND:
            break
    else:
        ScanProgress.objects.filter(name=NAME).delete()  # the next round begins with the first row
    return UnreadableSecret.objects.count()


def unreadable_credentials(most: int) -> list[str]:
    """Return the keys of credentials whose secret does not open."""
    rows = UnreadableSecret.objects.filter(model=CREDENTIAL, field="secret")
    return list(rows.values_list("row", flat=True)[:most])


def unreadable_for(user: Any) -> QuerySet[UnreadableSecret]:
    """Return what concerns this person's organizations; of authorizations each has its row."""
    mine = Organization.objects.allowing(user, Action.MANAGE_PEOPLE)
    everybodys = Q(organization=None) & Exists(mine)
    rows = UnreadableSecret.objects.filter(Q(organization__in=mine) | everybodys)
    return rows.exclude(model=CREDENTIAL)[:100]


def _note(rows_of: EncryptedRows, row: Any, name: str) -> None:
    if UnreadableSecret.objects.count() >= MOST:
        return
    UnreadableSecret.objects.get_or_create(
        model=rows_of.label,
        row=str(row.pk),
        field=name,
        defaults={
            "organization_id": rows_of.organization_of(row),
            "what": rows_of.describe(row, name)[:300],
        },
    )


def _forget_healed(known: dict[str, EncryptedRows]) -> None:
    for noted in UnreadableSecret.objects.all()[:MOST]:
        rows_of = known.get(noted.model)
        row = rows_of.rows().filter(pk=noted.row).first() if rows_of else None
        exists = rows_of and row and noted.field in rows_of.ciphertexts(row)
        if not (rows_of and exists) or _opens(rows_of, row, noted.field):
            noted.delete()


def _opens(rows_of: EncryptedRows, row: Any, name: str) -> bool:
    try:
        rows_of.reveal(row, name)
    except SecretUnreadable:
        return False
    return True
