"""Validate and normalize names of connections, applications, organizations, keys and so on.

A name is one line of visible text in any script, with punctuation, symbols and emoji. Names are
stored in Unicode normalization form C (UAX 15), with single spaces between words. Invisible
characters can make two names look alike, or reverse the direction of the text around them, so they
are allowed only where a script or an emoji needs them (UTS 39, UAX 31).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

_ZWNJ, _ZWJ = "\u200c", "\u200d"
_VIRAMA = 9  # combining class of the sign that joins two consonants
_MAX_NORMALIZED = 1_000  # more than 100 letters with marks need
_MAX_MARKS = 6  # on one letter; Tibetan and pointed Hebrew need five
#: Often copied with a text: byte order mark, zero-width space, word joiner, soft hyphen.
_COPIED_ALONG = "\ufeff\u200b\u2060\u00ad"
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: Letters, symbols and marks that are invisible although their category suggests otherwise, and
#: code points that are not characters.
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufff0-\ufff8\ufffc\ufdd0-\ufdef"
    "\ufffe\uffff\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
)
#: The flags of England, Scotland and Wales contain invisible tag characters (UTS 51, ED-14a).
_SPELLED_FLAG = re.compile("\U0001f3f4[\U000e0030-\U000e007a]{3,6}\U000e007f")


def normalized(text: str) -> str:
    """Return a name in the form in which it is stored.

    A text that is far too long is returned unchanged, because it will be rejected for its length:
    normalizing takes time that grows with the square of the number of marks on one letter.
    """
    if len(text) > _MAX_NORMALIZED:
        return text
    text = unicodedata.normalize("NFC", text)
    text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    while (shorter := text.strip().strip(_COPIED_ALONG)) != text:
        text = shorter
    return re.sub(" +", " ", text)


def fault_in(name: str) -> str:
    """Return what is wrong with a normalized name and how to fix it; empty if it is valid."""
    text = _SPELLED_FLAG.sub("\U0001f3f4", name)
    seen = map(unicodedata.category, _BLANK.sub("", text))
    if not any(category[0] in "LNPS" or category == "Cn" for category in seen):
        return "A name needs at least one visible character."
    if unicodedata.category(text[0])[0] == "M":
        return "A name cannot begin with an accent or another combining mark."
    marks = 0
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category in ("Cc", "Zl", "Zp"):
            return "A name is one line. Remove the line break, tab or control character."
        if _DIRECTION.match(character):
            return f"Remove {_code(character)}, which changes the direction of the text around it."
        marks = marks + 1 if category[0] == "M" else 0
        if marks > _MAX_MARKS:
            return f"A letter can have at most {_MAX_MARKS} accents or other marks."
        if not _is_visible(text, place):
            return f"Remove {_code(character)}, an invisible character."
    return ""


def validate_name(name: str) -> None:
    """Raise ``ValidationError`` for an invalid name."""
    if fault := fault_in(name):
        raise ValidationError(fault, code="invalid")


class NameFormField(forms.CharField):
    """Form field for a name."""

    default_validators = [validate_name]

    def to_python(self, value: Any) -> str:
        return normalized(super().to_python(value) or "")


class NameField(models.CharField):
    """Model field for a name. Migrations see a plain ``CharField``."""

    default_validators = [validate_name]

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def to_python(self, value: Any) -> Any:
        value = super().to_python(value)
        return normalized(value) if isinstance(value, str) else value

    def formfield(
        self, form_class: Any = NameFormField, choices_form_class: Any = None, **kwargs: Any
    ) -> Any:
        return super().formfield(
            form_class=form_class, choices_form_class=choices_form_class, **kwargs
        )


def _is_visible(text: str, place: int) -> bool:
    """Return whether a character is visible, or needed by its script or emoji."""
    character, before, after = text[place], text[place - 1 : place], text[place + 1 : place + 2]
    if character in (_ZWNJ, _ZWJ):
        return _may_join(character, text[:place], after)
    if "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef":
        return _may_vary(character, before)
    if "\u180b" <= character <= "\u180d" or character == "\u180f":
        return "\u1800" <= before <= "\u18af"  # another form of a Mongolian letter
    return unicodedata.category(character) not in ("Cf", "Co", "Cs") and not _BLANK.match(character)


def _may_join(joiner: str, before: str, after: str) -> bool:
    """Return whether a zero-width joiner or non-joiner is valid here (RFC 5892 A, UTS 51)."""
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
    """Return whether a variation selector follows a character that can have variants."""
    if not before or unicodedata.category(before)[0] not in "LNPS":
        return False
    # The last two select text or emoji style; the others select ideograph variants (UTS 37).
    return selector in "\ufe0e\ufe0f" or unicodedata.east_asian_width(before) == "W"


def _is_emoji(character: str) -> bool:
    """Return whether a character can be part of an emoji.

    That is a symbol, a skin tone, or an emoji that is newer than this Python.
    """
    category = unicodedata.category(character)
    newer = category == "Cn" and "\U0001f000" <= character <= "\U0001faff"
    return category in ("So", "Sm") or "\U0001f3fb" <= character <= "\U0001f3ff" or newer


def _code(character: str) -> str:
    return f"U+{ord(character):04X}"
