"""Optimistic locking of forms: nobody overwrites what they have not seen.

A form carries, as ``seen``, a fingerprint of the values that its page showed. A row that holds
others by the time the form comes back has been changed in another tab or by somebody else. The
person is shown both values then, and decides: nothing is overwritten without a word.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class FieldConflict:
    """A value that the row holds now, and the one that a person is about to write there."""

    label: str
    saved: str
    yours: str


class EditConflict(Exception):
    """The row is not what the person has seen."""

    def __init__(self, differences: list[FieldConflict]) -> None:
        super().__init__("This was changed after the page was opened.")
        self.differences = differences


def fingerprint(values: Mapping[str, str]) -> str:
    """Return what tells two views of the same fields apart."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


class SeenForm:
    """Mixed into a model form; it says in words what it writes, by label."""

    data: Mapping[str, Any]
    instance: Any

    def described(self, row: Any) -> dict[str, str]:
        """Return the values of a row that this form writes, as the person reads them."""
        raise NotImplementedError

    @property
    def seen(self) -> str:
        """Return the fingerprint for the page that shows the row as it is."""
        return fingerprint(self.described(self.instance))

    def refuse_unseen(self, current: Any) -> None:
        """Raise :class:`ChangedMeanwhile` where the row holds values that nobody has seen.

        ``self.instance`` holds what is about to be written. What is there already needs no
        decision, such as when a form is sent twice.
        """
        saved, yours = self.described(current), self.described(self.instance)
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
