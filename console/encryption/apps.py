from __future__ import annotations

import contextlib
from typing import Any

from django.apps import AppConfig
from django.db import DatabaseError
from django.db.models.signals import post_migrate


class EncryptionConfig(AppConfig):
    """Encrypted fields, the key ring, and key rotation."""

    name = "console.encryption"

    def ready(self) -> None:
        post_migrate.connect(_create_sentinel, sender=self)


def _create_sentinel(**kwargs: Any) -> None:
    """Store the key sentinel after ``migrate``, before there is a secret that could be damaged.

    Errors do not stop a migration: with a partial migration tables may be missing, and a wrong
    key ring is reported by the next process that starts.
    """
    from console.encryption.encrypted_rows import all_encrypted_rows  # models load after apps
    from console.encryption.fernet_keys import SecretUnreadable
    from console.encryption.key_sentinel import refuse_wrong_key_ring

    with contextlib.suppress(DatabaseError, SecretUnreadable):
        refuse_wrong_key_ring(all_encrypted_rows())
