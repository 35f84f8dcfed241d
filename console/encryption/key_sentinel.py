"""Whether the key ring is the right one, told by a value that is there for nothing else.

It takes the same time at any number of rows, and no damaged secret changes the answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from console.encryption.fields import SecretUnreadable, key_ring
from console.encryption.models import KeySentinel
from console.encryption.sealed_rows import SealedPage, SealedRows

#: How many rows of each kind are tried where there is no sentinel yet.
SAMPLE = 20
_WRONG = (
    "What this console has stored does not open with any key of CRYPTOGRAPHY_KEYS. Whoever runs "
    "it can add the key that was used before."
)


def refuse_wrong_key_ring(everything: Iterable[SealedRows]) -> None:
    """Raise ``SecretUnreadable`` unless the ring is the one that the rows were sealed with.

    A database without a sentinel is new, or was made before there were any: then a few of
    its secrets vouch for the ring, and the sentinel is written.
    """
    key_ring()
    copies = list(KeySentinel.objects.all())
    if not copies:
        _refuse_unless_some_open(everything)
        KeySentinel.objects.bulk_create(_new(), ignore_conflicts=True)
        copies = list(KeySentinel.objects.all())  # another process may have been faster
    if not any(map(_opens, copies)):
        raise SecretUnreadable(_WRONG)


@transaction.atomic
def renew() -> None:
    """Write the sentinel under the first key: from now on the ring needs no other."""
    KeySentinel.objects.all().delete()
    KeySentinel.objects.bulk_create(_new())


def _new() -> list[KeySentinel]:
    return [KeySentinel(pk=copy, value="sentinel") for copy in KeySentinel.COPIES]


def _opens(copy: KeySentinel) -> bool:
    try:
        copy.value.reveal()
    except SecretUnreadable:
        return False
    return True


def _refuse_unless_some_open(everything: Iterable[SealedRows]) -> None:
    """Try a few values of each kind: one that opens is enough, for the others may be damaged."""
    closed = False
    for each in everything:
        for row, name, _ in SealedPage(rows_of=each, rows=each.page("", SAMPLE)).values():
            try:
                each.reveal(row, name)
            except SecretUnreadable:
                closed = True
            else:
                return
    if closed:
        raise SecretUnreadable(_WRONG)
