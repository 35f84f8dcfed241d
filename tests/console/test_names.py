"""One rule for every name."""

from __future__ import annotations

import unicodedata
from importlib import import_module

import pytest
from django import forms
from django.apps import apps
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from console.names import NameField, NameFormField, fault_in, normalized, validate_name

NAMES = {
    "Hindi": "ग्राहक सूची",
    "Hindi with a joiner": "क्\u200dष",
    "Bengali ya-phalaa": "র\u200d্যাম",
    "Malayalam chillu": "അവന്\u200d",
    "Sinhala": "ශ්\u200dරී ලංකා",
    "Thai": "ลูกค้า",
    "Tamil": "வாடிக்கையாளர்",
    "Tibetan": "བོད་ཡིག",
    "Persian": "می\u200c\u062e\u0648\u0627\u0647\u0645",
    "Arabic with its vowels": "مُحَمَّد",
    "Hebrew with points": "שָׁלוֹם",
    "Mongolian": "ᠮᠣᠩᠭᠣᠯ\u180b",
    "Korean": "고객 목록",
    "Japanese, a variant of an ideograph": "葛\U000e0100城",
    "Vietnamese": "Tiếng Việt",
    "a letter that has no composed form": "x\u0304",
    "punctuation": "Joe's “Diner” & <Co.>; 100 % #1 (a/b) = ©",
    "emoji": "Support 🙂",
    "only an emoji": "🚀",
    "a family": "👨\u200d👩\u200d👧",
    "a skin tone and a job": "👩🏽\u200d🚀",
    "a heart on fire": "❤\ufe0f\u200d🔥",
    "a head that shakes": "🙂\u200d↔\ufe0f",
    "a keycap": "1\ufe0f\u20e3 first",
    "a country": "🇮🇳 India",
    "Scotland": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
}
NO_NAMES = {
    "nothing": "",
    "only a joiner": "\u200d",
    "a Hangul filler": "\u3164",
    "an empty braille cell": "\u2800",
    "only an accent": "\u0301",
    "a line break": "a\nb",
    "a tab": "a\tb",
    "NUL": "a\0b",
    "a control of C1": "a\x9bb",
    "a line separator": "a\u2028b",
    "an override": "invoice\u202egnp.exe",
    "an isolate": "a\u2066b",
    "a left-to-right mark": "a\u200eb",
    "a zero-width space": "pay\u200bpal",
    "a byte order mark": "pay\ufeffpal",
    "a soft hyphen": "pay\u00adpal",
    "a word joiner": "pay\u2060pal",
    "a joiner between Latin letters": "pay\u200dpal",
    "a non-joiner between Latin letters": "pay\u200cpal",
    "a joiner at the end": "paypal\u200d",
    "a non-joiner at the end of Persian": "می\u200c",
    "two joiners": "👨\u200d\u200d👩",
    "a grapheme joiner": "pay\u034fpal",
    "a Hangul filler inside": "pay\u1160pal",
    "a hidden message in tags": "hi\U000e0068\U000e0069",
    "a hidden message in variation selectors": "hi\U000e0101\U000e0102",
    "a flag that is never closed": "🏴\U000e0067\U000e0062\U000e0073",
    "marks piled up": "Z" + "\u0335\u0321\u034c" * 4,
    "private use": "a\ue000",
    "no character": "a\ufdd0",
    "a half of a pair": "a\ud800",
    "an object": "a\ufffc",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_it_takes_a_name_of_any_script(name):
    assert fault_in(normalized(name)) == ""
    assert normalized(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", NO_NAMES.values(), ids=NO_NAMES)
def test_it_refuses_what_cannot_be_seen(name):
    fault = fault_in(normalized(name))
    assert fault.endswith(".")
    assert name not in fault or not name


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Cafe\u0301", "Café"),
        ("\u212bngstro\u0308m", "Ångström"),
        ("  Leads  and\u00a0\u3000deals ", "Leads and deals"),
        ("\ufeffLeads\u200b\r\n", "Leads"),
        ("한", "한"),
    ],
)
def test_there_is_one_spelling(typed, kept):
    assert normalized(typed) == kept


@given(st.text())
def test_no_text_breaks_it_and_a_name_stays_one(text):
    name = normalized(text)
    assert normalized(name) == name
    fault_in(name)


#: Columns called name, title or label in our own tables that hold no name of a person's making.
OTHERS = {
    "encryption.ScanProgress.name",  # of a command that goes on where it stopped
    "audit.Event.object_label",  # what something was called when it was changed
    "transfer.Upload.file_name",
    "connections.PendingGrant.label",  # of an account at the service
    "connections.BulkItem.name",  # what a connection was called when it was chosen
}


def test_every_column_for_a_name_follows_the_rule():
    rooms = ("console.", "connections")
    found = {
        f"{model._meta.label}.{field.name}": isinstance(field, NameField)
        for model in apps.get_models()
        if model.__module__.startswith(rooms)
        for field in model._meta.local_fields
        if field.name.endswith(("name", "title", "label")) and field.name != "link_name"
    }
    assert {name for name, follows in found.items() if not follows} == OTHERS
    assert len(found) > len(OTHERS) + 5


def test_every_box_for_a_name_follows_the_rule():
    """Forms that are no model's say themselves what a box is."""
    import_module(settings.ROOT_URLCONF)  # and with it every form
    found = {}
    waiting = list(forms.BaseForm.__subclasses__())
    while waiting:
        form = waiting.pop()
        waiting += form.__subclasses__()
        # Of Django's own model of people; Administration makes forms of ours from it.
        model = getattr(getattr(form, "_meta", None), "model", None)
        is_djangos = model is not None and model.__module__.startswith("django.")
        if form.__module__.startswith(("console.", "connections")) and not is_djangos:
            for name, field in getattr(form, "base_fields", {}).items():
                if name.endswith(("name", "title", "label")) and name != "link_name":
                    found[f"{form.__qualname__}.{name}"] = isinstance(field, NameFormField)
    assert len(found) > 5
    assert not [name for name, follows in found.items() if not follows]


def test_the_rule_is_a_validator_too():
    with pytest.raises(forms.ValidationError, match="line break"):
        validate_name("a\nb")
