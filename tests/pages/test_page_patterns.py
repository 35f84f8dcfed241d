"""Patterns of all pages: where the primary action is, and what an empty list offers."""

from __future__ import annotations

import re

from tests.servers import ROOT

PAGES = sorted((ROOT / "templates").rglob("*.html"))
#: Rows of buttons, and the bar above the page.
BUTTON_ROWS = re.compile(
    r'<(?P<tag>div|p|form)[^>]*class="[^"]*\b(?:page|wizard|empty|row)-actions?\b[^"]*"[^>]*>'
    r"(?P<inner>.*?)</(?P=tag)>|{% block actions %}(?P<bar>.*?){% endblock",
    re.DOTALL,
)
BUTTON = re.compile(r'class="(btn[^"]*)"')
EMPTY = re.compile(r'{% include "parts/_empty.html"[^%]*%}')
#: Nothing can be done there, or the form for it is on the same page.
NOTHING_TO_DO = {
    "Nothing has happened yet",
    "No problems",
    "No webhooks yet",
    "No clients yet",
    "Nobody has authorized it yet",
}


def test_the_primary_button_is_the_last_of_its_row():
    found = []
    for page in PAGES:
        for row in BUTTON_ROWS.finditer(page.read_text(encoding="utf-8")):
            buttons = BUTTON.findall(row["inner"] or row["bar"] or "")
            strong = ["primary" in each or "btn-danger" in each for each in buttons]
            # Enter presses the first of two submit buttons, so the primary one is the first there.
            decides = row[0].count('type="submit"') > 1
            if any(strong) and not strong[-1] and not decides and "{% elif" not in row[0]:
                found.append(f"{page.relative_to(ROOT)}: {buttons}")
    assert found == []


def test_the_bar_above_a_page_has_one_primary_button():
    for page in PAGES:
        for row in BUTTON_ROWS.finditer(page.read_text(encoding="utf-8")):
            bar = row["bar"] or ""
            assert bar.count("btn-primary") <= 1 + bar.count("{% el"), page


def test_an_empty_list_offers_the_next_step():
    found = []
    for page in PAGES:
        for empty in EMPTY.findall(page.read_text(encoding="utf-8")):
            title = re.search(r'title="([^"]+)"', empty)
            if "action_url" not in empty and title and title[1] not in NOTHING_TO_DO:
                found.append(f"{page.relative_to(ROOT)}: {title[1]}")
    assert found == []
