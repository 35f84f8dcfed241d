"""Read every row that holds encrypted values, page by page, for key rotation and health checks."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from console.encryption.fernet_keys import first_key_id
from console.encryption.fields import Ciphertext, EncryptedJSONField, encrypted_fields
from console.encryption.models import KeySentinel, ScanProgress


class EncryptedRows:
    """The rows of one model and their encrypted values.

    A page is read completely before anything is written: on SQLite, an open cursor blocks
    this process from writing while others write.
    """

    def __init__(
        self, model: type[models.Model], fields: Sequence[EncryptedJSONField] = ()
    ) -> None:
        self.model = model
        self.fields = {field.name: field for field in fields}

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def rows(self) -> models.QuerySet[Any]:
        """Return all rows with the columns that decrypting needs."""
        bound = [name for field in self.fields.values() for name in field.bound_to]
        return self.model._default_manager.only("pk", *self.fields, *bound)

    def page(self, after: str, size: int) -> list[Any]:
        """Return the next rows after a primary key; an index makes this fast for any table."""
        rows = self.rows().order_by("pk")
        return list((rows.filter(pk__gt=after) if after else rows)[:size])

    def ciphertexts(self, row: Any) -> dict[str, bytes]:
        """Return the ciphertext of each encrypted value in the row, by name."""
        found = {name: row.__dict__.get(field.attname) for name, field in self.fields.items()}
        return {name: bytes(value) for name, value in found.items() if value is not None}

    def reveal(self, row: Any, name: str) -> Any:
        """Decrypt one value; raise ``SecretUnreadable``."""
        return getattr(row, name).reveal()

    def replace(self, row: Any, name: str, old: bytes, new: bytes) -> None:
        """Replace a ciphertext, unless the value has changed since it was read.

        A value that has changed is already encrypted with the first key.
        """
        self.model._default_manager.filter(pk=row.pk, **{name: Ciphertext(old)}).update(
            **{name: Ciphertext(new)}
        )

    def organization_of(self, row: Any) -> uuid.UUID | None:
        """Return the key of the organization that owns the row, if there is one."""
        return getattr(row, "organization_id", None)

    def describe(self, row: Any, name: str) -> str:
        """Describe a value for a person: what it is, and which organization owns it."""
        organization = getattr(row, "organization", None)
        owner = f" of {organization}" if organization else ""
        return f"{name} of {self.model._meta.verbose_name} “{row}”{owner} ({row.pk})"


#: Rows that store an encrypted value outside an ``EncryptedJSONField``.
_registered: list[EncryptedRows] = []


def register(rows: EncryptedRows) -> None:
    """Add rows of another package that hold values encrypted by this console."""
    _registered.append(rows)


def all_encrypted_rows() -> list[EncryptedRows]:
    """List the rows with encrypted values of every model, except for the key sentinel."""
    by_model: dict[type[models.Model], list[EncryptedJSONField]] = {}
    for model, field in encrypted_fields():
        if model is not KeySentinel:
            by_model.setdefault(model, []).append(field)
    return [*(EncryptedRows(model, fields) for model, fields in by_model.items()), *_registered]


@dataclass(frozen=True, kw_only=True)
class EncryptedPage:
    """Some consecutive rows of one model."""

    rows_of: EncryptedRows
    rows: Sequence[Any]

    def values(self) -> Iterator[tuple[Any, str, bytes]]:
        """Yield each row with the name and the ciphertext of each of its encrypted values."""
        for row in self.rows:
            for name, value in self.rows_of.ciphertexts(row).items():
                yield row, name, value


def load_progress(name: str) -> ScanProgress:
    """Return the progress of the scan with the current first key, or a new one at the start."""
    key = first_key_id()
    return ScanProgress.objects.filter(name=name, key=key).first() or ScanProgress(
        name=name, key=key
    )


def scan(
    everything: Iterable[EncryptedRows], progress: ScanProgress, size: int
) -> Iterator[EncryptedPage]:
    """Yield page after page, starting at ``progress``. It is updated, but the caller saves it."""
    everything = list(everything)
    labels = [rows.label for rows in everything]
    if progress.model not in labels:  # the scan begins, or the model no longer exists
        progress.model, progress.row = "", ""
    for rows in everything[labels.index(progress.model) if progress.model else 0 :]:
        after = progress.row if progress.model == rows.label else ""
        while page := rows.page(after, size):
            after = str(page[-1].pk)
            progress.model, progress.row = rows.label, after
            yield EncryptedPage(rows_of=rows, rows=page)
