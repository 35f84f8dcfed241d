"""How much a document may hold, looked at before it is read: memory and time follow from it."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A text in quotes, closed or not: whatever comes, it is passed over once. Possessive, or each
#: letter would be remembered as a place to turn back to.
_TEXT = re.compile(r'"(?:[^"\\]++|\\.|\\\Z)*+(?:"|\Z)', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """What one document may hold at most."""

    #: Brackets within brackets.
    nesting: int
    #: Objects, lists, texts, numbers and words, altogether.
    values: int
    lines: int
    #: Characters of one text.
    text: int


#: An application as a file, and the definition of one component, which is 3 brackets deep in it.
FILE = DocumentLimits(nesting=64, values=500_000, lines=500_000, text=200_000)
DEFINITION = DocumentLimits(nesting=FILE.nesting - 3, values=50_000, lines=20_000, text=200_000)


def too_large(text: str, limits: DocumentLimits) -> str:
    """Say which limit a document that is not read yet goes beyond; nothing if none."""
    lines = text.count("\n") + 1
    if lines > limits.lines:
        return f"At most {limits.lines:,} lines can be read, and these are {lines:,}."
    if _most_values(text) > limits.values:
        values = _most_values(_TEXT.sub("", text))
        if values > limits.values:
            return (
                f"At most {limits.values:,} values can be read (objects, lists, texts and numbers "
                f"together), and these are about {values:,}."
            )
    return ""


def _most_values(text: str) -> int:
    """Count what begins a value: each bracket that opens, and each comma."""
    return text.count(",") + text.count("{") + text.count("[") + 1
