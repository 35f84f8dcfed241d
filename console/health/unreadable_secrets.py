"""Find sealed values that cannot be decrypted, and list them for the people who can fix them.

The sentinel has shown that the key ring is correct. So the value is damaged, or it was sealed
with a key that was removed too early.
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
#: How many rows one round visits; it takes about a second.
ROWS_A_ROUND = 5_000
PAGE = 500
#: Above this number the cause is not single values, and a longer list helps nobody.
MOST = 1_000
CREDENTIAL = "connections.credential"


def check_next_rows() -> int:
    """Check the next rows and those found before; return how many cannot be decrypted."""
    everything = all_encrypted_rows()
    refuse_wrong_key_ring(everything)
    _delete_fixed({each.label: each for each in everything})
    progress = load_progress(NAME)
    visited = 0
    for page in scan(everything, progress, PAGE):
        unreadable = [
            (row, name) for row, name, _ in page.values() if not _opens(page.rows_of, row, name)
        ]
        with transaction.atomic():
            for row, name in unreadable:
                _note(page.rows_of, row, name)
            progress.save()
        visited += len(page.rows)
        if visited >= ROWS_A_ROUND:
            break
    else:
        ScanProgress.objects.filter(name=NAME).delete()  # the next round starts over
    return UnreadableSecret.objects.count()


def unreadable_credentials(most: int) -> list[str]:
    """Return the keys of credentials whose secret cannot be decrypted."""
    rows = UnreadableSecret.objects.filter(model=CREDENTIAL, field="secret")
    return list(rows.values_list("row", flat=True)[:most])


def unreadable_for(user: Any) -> QuerySet[UnreadableSecret]:
    """Return the unreadable secrets that this person may see.

    Credentials are left out: their authorizations are on the list of problems.
    """
    mine = Organization.objects.allowing(user, Action.MANAGE_PEOPLE)
    of_console = Q(organization=None) & Exists(mine)
    rows = UnreadableSecret.objects.filter(Q(organization__in=mine) | of_console)
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


def _delete_fixed(known: dict[str, EncryptedRows]) -> None:
    for noted in UnreadableSecret.objects.all()[:MOST]:
        if not _is_still_unreadable(noted, known.get(noted.model)):
            noted.delete()


def _is_still_unreadable(noted: UnreadableSecret, rows_of: EncryptedRows | None) -> bool:
    row = rows_of.rows().filter(pk=noted.row).first() if rows_of else None
    if rows_of is None or row is None or noted.field not in rows_of.ciphertexts(row):
        return False
    return not _opens(rows_of, row, noted.field)


def _opens(rows_of: EncryptedRows, row: Any, name: str) -> bool:
    try:
        rows_of.reveal(row, name)
    except SecretUnreadable:
        return False
    return True
