"""One rule for every name that people give: to connections, applications, organizations, keys.

A name is one line of text in which everything can be seen, in any script, with punctuation,
symbols and emoji. Letters that Unicode can write in two ways are kept in one (NFC, UAX 15), and
any spaces between words are one space. What is invisible may make two names look alike, or turn
the text around it, so it is refused, save where a script or an emoji needs it (UTS 39, UAX 31).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_VIRAMA = 9  # the combining class of the sign that joins two consonants
_LONGEST = 1_000  # of 100 letters with marks, and then some
_MOST_MARKS = 6  # on one letter; Tibetan and pointed Hebrew need five
#: Copied along at the ends of a text: byte order mark, zero-width space, word joiner, soft hyphen.
_COPIED_ALONG = "\ufeff\u200b\u2060\u00ad"
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: Letters, symbols and marks that show nothing, though their categories say otherwise, and the
#: codes that are no characters.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufff0-\ufff8\ufffc\ufdd0-\ufdef"
    "\ufffe\uffff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
#: The flags of England, Scotland and Wales are spelled in invisible letters (UTS 51, ED-14a).
_SPELLED_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f")


def normalized(text: str) -> str:
    """Return a name in the one spelling in which it is kept.

    What is far too long for one stays as it is, to be refused for its length: to sort the
    marks on one letter takes the square of their number.
    """
    if len(text) > _LONGEST:
        return text
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    while (shorter := text.strip().strip(_COPIED_ALONG)) != text:
        text = shorter
    return re.sub(" +", " ", text)


def fault_in(name: str) -> str:
    """Say what a normalized name may not hold, and what to do; nothing if it is a name."""
    text = _SPELLED_FLAG.sub("\U0001f3f4", name)
    seen = map(unicodedata.category, _BLANK.sub("", text))
    if not any(category[0] in "LNPS" or category == "Cn" for category in seen):
        return "A name has at least one character that can be seen."
    if unicodedata.category(text[0])[0] == "M":
        return "A name cannot begin with an accent or another mark that belongs to a letter."
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp"):
            return "A name is one line. Take out the line break, tab or control character."
        if _DIRECTION.match(character):
            return f"Take out {_code(character)}, which turns the direction of the text around it."
        marks = marks + 1 if category[0] == "M" else 0
        if marks > _MOST_MARKS:
            return f"A letter may have at most {_MOST_MARKS} accents or other marks."
        if not _is_seen(text, place):
            return f"Take out {_code(character)}, a character that cannot be seen."
    return ""


def validate_name(name: str) -> None:
    """Raise ``ValidationError`` for what is no name."""
    if fault := fault_in(name):
        raise ValidationError(fault, code="invalid")


class NameFormField(forms.CharField):
    """A box for a name."""

    default_validators = [validate_name]

    def to_python(self, value: Any) -> str:
        return normalized(super().to_python(value) or "")


class NameField(models.CharField):
    """A column for a name; for migrations it is a ``CharField``."""

    default_validators = [validate_name]

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalized(value) if isinstance(value, str) else value

    def formfield(self, **kwargs: Any) -> Any:  # type: ignore[override]
        return super().formfield(**{"form_class": NameFormField, **kwargs})


def _is_seen(text: str, place: int) -> bool:
    """Tell whether a character is visible, or invisible where its script or emoji needs it."""
    character, before, after = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if character in (_ZWNJ, _ZWJ):
        return _may_join(character, text[:place], after)
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return _may_vary(character, before)
    if "\u180b" <= character <= "\u180d" or character == "\u180f":
        return "\u1800" <= before <= "\u18af"  # another form of a Mongolian letter
    return unicodedata.category(character) not in ("Cf", "Co", "Cs") and not _BLANK.match(character)


def _may_join(joiner: str, before: str, after: str) -> bool:
    """Tell whether a joiner does something here (RFC 5892 appendix A, UTS 51)."""
    if not before:
        return False
    if unicodedata.combining(before[-1]) == _VIRAMA:
        return True
    if not after:
        return False
    if joiner == _ZWJ and unicodedata.combining(after) == _VIRAMA:
        return True  # Bengali ya-phalaa after ra
    letter = next((c for c in reversed(before) if unicodedata.category(c)[0] != "M"), "")
    if joiner == _ZWJ and letter and _is_emoji(letter) and _is_emoji(after):
        return True
    return bool(letter) and all(unicodedata.bidirectional(c) == "AL" for c in (letter, after))


def _may_vary(selector: str, before: str) -> bool:
    """Tell whether a variation selector has something to select a form of."""
    if not before or unicodedata.category(before)[0] not in "LNPS":
        return False
    # The last two choose between text and emoji; the others forms of ideographs (UTS 37).
    return selector in "\ufe0e\ufe0f" or unicodedata.east_asian_width(before) == "W"


def _is_emoji(character: str) -> bool:
    """Tell whether emoji are made of it: a symbol, a skin tone, or one newer than this Python."""
    category = unicodedata.category(character)
    newer = category == "Cn" and "\U0001f000" <= character <= "\U0001faff"
    return category in ("So", "Sm") or "\U0001f3fb" <= character <= "\U0001f3ff" or newer


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
