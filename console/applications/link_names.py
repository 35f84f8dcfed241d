"""Names for programs, made from names for people."""

from __future__ import annotations

import itertools
import re
from collections.abc import Container

from django.utils.text import slugify

#: Latin letters that are no ASCII letter with an accent, which is all that `slugify` undoes.
_IN_ASCII = str.maketrans(
    {"ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O"}
    | {"đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "TH", "ł": "l", "Ł": "L"}
    | {"ħ": "h", "Ħ": "H", "\u0131": "i", "ŧ": "t", "Ŧ": "T"}
)


def free_link_name(name: str, taken: Container[str], *, fallback: str) -> str:
    """Return the name in lower case with underscores, numbered from 2 where it is taken.

    ``fallback`` goes before a name that does not begin with a letter of ASCII.
    """
    letters = re.sub(r"[^\w\s]", " ", name.translate(_IN_ASCII))
    words = slugify(letters).replace("-", "_")
    base = words[:50] if words[:1].isalpha() else f"{fallback}_{words}"[:50].rstrip("_")
    numbered = (f"{base}_{number}" for number in itertools.count(2))
    return next(
        link_name for link_name in itertools.chain([base], numbered) if link_name not in taken
    )
