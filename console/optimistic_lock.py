"""Optimistic locking for forms: nobody overwrites a change they have not seen.

A form contains, in the hidden field ``seen``, a fingerprint of the values that its page showed. If
the row has other values when the form is submitted, somebody changed it in the meantime, perhaps
the same person in another tab. The page then shows both values, and the person decides.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class FieldConflict:
    """A field that was changed: the saved value and the submitted one."""

    label: str
    saved: str
    yours: str


class EditConflict(Exception):
    """The row has changed since the page was shown."""

    def __init__(self, differences: list[FieldConflict]) -> None:
        super().__init__("This was changed after the page was opened.")
        self.differences = differences


def fingerprint(values: Mapping[str, str]) -> str:
    """Return a hash of the values that a page shows."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class ConflictCheckMixin:
    """Mixin for model forms that detect conflicting edits."""

    data: Mapping[str, Any]
    instance: Any

    def display_values(self, row: Any) -> dict[str, str]:
        """Return the fields of a row that this form saves, by label, as people read them."""
        raise NotImplementedError

    @property
    def seen(self) -> str:
        """Return the fingerprint for a page that shows the row as saved."""
        return fingerprint(self.display_values(self.instance))

    def raise_on_conflict(self, current: Any) -> None:
        """Raise :class:`EditConflict` if the saved row has values that the page did not show.

        ``self.instance`` has the new values. If they are already saved, as when a form is
        submitted twice, there is no conflict.
        """
        saved, yours = self.display_values(current), self.display_values(self.instance)
        seen = self.data.get("seen")
        if not seen or saved == yours or fingerprint(saved) == seen:
            return
        raise EditConflict(
            [
                FieldConflict(label=label, saved=saved.get(label, ""), yours=yours[label])
                for label in yours
                if saved.get(label, "") != yours[label]
            ]
        )
