"""Damage an encrypted value in the database, without the checks of the model."""

from __future__ import annotations

from django.db import models

from console.encryption.fields import Ciphertext


def damage(row: models.Model, name: str) -> None:
    """Change one byte in the middle of an encrypted value."""
    rows = type(row)._default_manager.filter(pk=row.pk)
    stored = bytearray(rows.values_list(name, flat=True).get())
    middle = len(stored) // 2
    stored[middle] = ord("A") if stored[middle] != ord("A") else ord("B")
    rows.update(**{name: Ciphertext(stored)})
