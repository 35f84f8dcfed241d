from __future__ import annotations

import contextlib
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError
from django.db.models.signals import post_migrate


class EncryptionConfig(AppConfig):
    """Sealed fields, the key ring, and its rotation."""

    name = "console.encryption"

    def ready(self) -> None:
        post_migrate.connect(_plant_sentinel, sender=self)


def _plant_sentinel(**kwargs: Any) -> None:
    """Write what vouches for the key ring before the first secret is there to be damaged.

    Tables may be missing where only a part is migrated, and a wrong key ring is no matter of
    migrations: the next process that starts looks again, and says so.
    """
    from console.encryption.fields import SecretUnreadable
    from console.encryption.key_sentinel import refuse_wrong_key_ring
    from console.encryption.sealed_rows import everything_sealed  # models load after apps

    with contextlib.suppress(DatabaseError, SecretUnreadable):
        refuse_wrong_key_ring(everything_sealed())
