"""Check whether ``CRYPTOGRAPHY_KEYS`` are the keys of this database, with a sentinel value.

The check takes the same time for any number of rows, and a damaged secret does not affect it.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from console.encryption.encrypted_rows import EncryptedPage, EncryptedRows
from console.encryption.fernet_keys import SecretUnreadable, key_ring
from console.encryption.models import KeySentinel

#: How many rows of each kind are tried if there is no sentinel yet.
SAMPLE = 20
_WRONG_KEYS = (
    "The secrets of this console cannot be decrypted with any key in CRYPTOGRAPHY_KEYS. The "
    "operator of this console can add the key that was used before."
)


def refuse_wrong_key_ring(everything: Iterable[EncryptedRows]) -> None:
    """Raise ``SecretUnreadable`` unless the rows were encrypted with this key ring.

    A database without a sentinel is new, or older than the sentinel. Then some of its secrets
    are tried instead, and the sentinel is stored.
    """
    key_ring()
    copies = list(KeySentinel.objects.all())
    if not copies:
        _refuse_unless_some_decrypt(everything)
        KeySentinel.objects.bulk_create(_new_copies(), ignore_conflicts=True)
        copies = list(KeySentinel.objects.all())  # another process may have stored them first
    if not any(map(_decrypts, copies)):
        raise SecretUnreadable(_WRONG_KEYS)


@transaction.atomic
def renew() -> None:
    """Encrypt the sentinel with the first key: the older keys are no longer required."""
    KeySentinel.objects.all().delete()
    KeySentinel.objects.bulk_create(_new_copies())


def _new_copies() -> list[KeySentinel]:
    return [KeySentinel(pk=copy, value="sentinel") for copy in KeySentinel.COPIES]


def _decrypts(copy: KeySentinel) -> bool:
    try:
        copy.value.reveal()
    except SecretUnreadable:
        return False
    return True


def _refuse_unless_some_decrypt(everything: Iterable[EncryptedRows]) -> None:
    """Try a few values of each kind. One success is enough, because the others may be damaged."""
    failed = False
    for rows in everything:
        page = EncryptedPage(rows_of=rows, rows=rows.page("", SAMPLE))
        for row, name, _ in page.values():
            try:
                rows.reveal(row, name)
            except SecretUnreadable:
                failed = True
            else:
                return
    if failed:
        raise SecretUnreadable(_WRONG_KEYS)
