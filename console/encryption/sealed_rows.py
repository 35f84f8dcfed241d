"""Every row that holds sealed values, page by page: for whatever visits all of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models

from console.encryption.fields import SealedField, first_key_id, sealed_fields
from console.encryption.models import KeySentinel, WalkProgress


class SealedRows:
    """The rows of one model, by key, with the values that are sealed in them.

    A page is read as a whole before anything is written: a cursor that stays open keeps
    SQLite from writing beside other writers.
    """

    def __init__(self, model: type[models.Model], fields: Sequence[SealedField] = ()) -> None:
        self.model = model
        self.fields = {field.name: field for field in fields}

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    def rows(self) -> models.QuerySet[Any]:
        """Return all of them, with the columns that opening needs."""
        bound = [name for field in self.fields.values() for name in field.bound_to]
        return self.model._default_manager.only("pk", *self.fields, *bound)

    def page(self, after: str, size: int) -> list[Any]:
        """Return the next rows after that key; of an index, however many rows there are."""
        rows = self.rows().order_by("pk")
        return list((rows.filter(pk__gt=after) if after else rows)[:size])

    def sealed(self, row: Any) -> dict[str, bytes]:
        """Return the ciphertext of each value that the row has."""
        found = {name: row.__dict__.get(field.attname) for name, field in self.fields.items()}
        return {name: bytes(value) for name, value in found.items() if value is not None}

    def reveal(self, row: Any, name: str) -> Any:
        """Open one value; raise ``SecretUnreadable``."""
        return getattr(row, name).reveal()

    def replace(self, row: Any, name: str, old: bytes, new: bytes) -> None:
        """Put another ciphertext in the place of the one that was read.

        A value that has changed meanwhile was written with the first key, and stays.
        """
        field = self.fields[name]
        self.model._default_manager.filter(pk=row.pk, **{name: field.sealed(old)}).update(
            **{name: field.sealed(new)}
        )

    def organization_of(self, row: Any) -> uuid.UUID | None:
        """Return the key of the organization whose people can help, if it is one's."""
        return getattr(row, "organization_id", None)

    def describe(self, row: Any, name: str) -> str:
        """Name a value for the person who looks for it: what it is, and whose."""
        organization = getattr(row, "organization", None)
        owner = f" of {organization}" if organization else ""
        return f"{name} of {self.model._meta.verbose_name} “{row}”{owner} ({row.pk})"


#: Rows that keep a sealed value elsewhere than in a ``SealedField``.
_others: list[SealedRows] = []


def register(rows: SealedRows) -> None:
    """Add rows of another package that hold values sealed by this console."""
    _others.append(rows)


def everything_sealed() -> list[SealedRows]:
    """List all rows with sealed values, model by model.

    The sentinel vouches for them and is not one of them.
    """
    by_model: dict[type[models.Model], list[SealedField]] = {}
    for model, field in sealed_fields():
        if model is not KeySentinel:
            by_model.setdefault(model, []).append(field)
    return [*(SealedRows(model, fields) for model, fields in by_model.items()), *_others]


@dataclass(frozen=True, kw_only=True)
class SealedPage:
    """Some rows of one model, one after the other."""

    rows_of: SealedRows
    rows: Sequence[Any]

    def values(self) -> Iterator[tuple[Any, str, bytes]]:
        """Give each row with the name and the ciphertext of each value in it."""
        for row in self.rows:
            for name, value in self.rows_of.sealed(row).items():
                yield row, name, value


def progress_of(name: str) -> WalkProgress:
    """Return how far a walk with the present first key has come; it may be at its beginning."""
    key = first_key_id()
    return WalkProgress.objects.filter(name=name, key=key).first() or WalkProgress(
        name=name, key=key
    )


def walk(
    everything: Iterable[SealedRows], progress: WalkProgress, size: int
) -> Iterator[SealedPage]:
    """Give page after page from where ``progress`` stands, which follows but is not saved."""
    everything = list(everything)
    labels = [each.label for each in everything]
    if progress.model not in labels:  # at the beginning, or the model is gone
        progress.model, progress.row = "", ""
    for each in everything[labels.index(progress.model) if progress.model else 0 :]:
        after = progress.row if progress.model == each.label else ""
        while rows := each.page(after, size):
            after = str(rows[-1].pk)
            progress.model, progress.row = each.label, after
            yield SealedPage(rows_of=each, rows=rows)
