"""Size limits for JSON documents, checked before parsing to bound memory and time."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: A string, closed or not. The quantifiers are possessive so that the match never backtracks: it
#: reads each character once.
_TEXT = re.compile(r'"(?:[^"\\]++|\\.|\\\Z)*+(?:"|\Z)', re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class DocumentLimits:
    """Upper limits for one document."""

    #: Depth of nested brackets.
    nesting: int
    #: Total number of objects, lists, strings, numbers and literals.
    values: int
    lines: int
    #: Characters of one string.
    text: int


#: The file of an exported application, and the definition of one component, which is nested 3
#: brackets deep in such a file.
FILE = DocumentLimits(nesting=64, values=500_000, lines=500_000, text=200_000)
DEFINITION = DocumentLimits(nesting=FILE.nesting - 3, values=50_000, lines=20_000, text=200_000)


def too_large(text: str, limits: DocumentLimits) -> str:
    """Return which limit an unparsed document exceeds; empty if none."""
    lines = text.count("\n") + 1
    if lines > limits.lines:
        return f"The document has {lines:,} lines. At most {limits.lines:,} are allowed."
    if _most_values(text) > limits.values:
        values = _most_values(_TEXT.sub("", text))
        if values > limits.values:
            return (
                f"The document has about {values:,} values (objects, lists, texts and numbers). "
                f"At most {limits.values:,} are allowed."
            )
    return ""


def _most_values(text: str) -> int:
    """Return an upper bound for the number of values: opening brackets and commas."""
    return text.count(",") + text.count("{") + text.count("[") + 1
