"""Flip a byte of what is stored, past everything that would notice."""

from __future__ import annotations

from django.db import models

from console.encryption.fields import SealedField


def damage(row: models.Model, name: str) -> None:
    """Change one byte in the middle of a sealed value."""
    field = row._meta.get_field(name)
    assert isinstance(field, SealedField)
    sealed = bytearray(type(row)._default_manager.values_list(name, flat=True).get(pk=row.pk))
    middle = len(sealed) // 2
    sealed[middle] = ord("A") if sealed[middle] != ord("A") else ord("B")
    type(row)._default_manager.filter(pk=row.pk).update(**{name: field.sealed(bytes(sealed))})
