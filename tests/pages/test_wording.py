"""Numbers in templates are followed by a noun in the right number: "1 call", not "1 calls"."""

from __future__ import annotations

import re

from tests.servers import ROOT

#: A number that is followed by a plural, without ``pluralize``.
PLURAL = re.compile(r"\{\{ [^}]*(?:\|length|count|number|most|\|floatformat)[^}]*\}\} [a-z]+s\b")
#: The number is always above one there, or the unit has no plural.
ALLOWED = {
    "{{ form.faults|length }} errors",
    '{{ chart.slowest|floatformat:"0g" }} ms',
    '{{ step.p95|floatformat:"0g" }} ms',
    '{{ chart.p95|floatformat:"0g" }} ms',
    '{{ row.milliseconds|floatformat:"0g" }} ms',
}

#: A number that is followed by a verb for several things, also after "of" and another number.
VERB = re.compile(
    r"\{\{ [^}]*(?:\|length|count|number|_left)[^}]*\}\}(?: of \{\{[^}]*\}\})?"
    r" (?:are|have|do|were)\b"
)


def test_no_number_is_followed_by_a_verb_that_is_always_plural():
    found = {
        f"{page.relative_to(ROOT)}: {match}"
        for page in (ROOT / "templates").rglob("*.html")
        for match in VERB.findall(page.read_text(encoding="utf-8"))
    }
    assert found == set()


def test_no_number_is_followed_by_a_plural_that_is_always_there():
    found = {
        f"{page.relative_to(ROOT)}: {match}"
        for page in (ROOT / "templates").rglob("*.html")
        for match in PLURAL.findall(page.read_text(encoding="utf-8"))
        if match not in ALLOWED
    }
    assert found == set()
