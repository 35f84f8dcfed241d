"""Link names: identifiers for programs, derived from display names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container

from django.utils.text import slugify

#: Latin letters that ``slugify`` drops: it only removes accents from ASCII letters.
_IN_ASCII = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ł": "l", "Ł": "L"}
    | {"ħ": "h", "Ħ": "H", "\u0131": "i", "ŧ": "t", "Ŧ": "T"}
)


def free_link_name(name: str, taken: Container[str], *, fallback: str) -> str:
    """Return the name in lower case with underscores, with a number from 2 if it is taken.

    ``fallback`` is put before a name that does not start with an ASCII letter.
    """
    letters = re.sub(r"[^\w\s]", " ", name.translate(_IN_ASCII))
    words = slugify(letters).replace("-", "_")
    base = words[:50] if words[:1].isalpha() else f"{fallback}_{words}"[:50].rstrip("_")
    numbered = (f"{base}_{number}" for number in itertools.count(2))
    return next(
        link_name for link_name in itertools.chain([base], numbered) if link_name not in taken
    )
