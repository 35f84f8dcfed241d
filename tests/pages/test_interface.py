"""Icons and states that the templates use exist."""

from __future__ import annotations

import re

import pytest

from connections.models import Authorization
from connections.models.state_badge import STATES
from console.choices import Environment
from console.settings import BASE_DIR
from console.templatetags.interface import SPRITE, environment, environment_bar, icon
from tests.servers import ROOT

NAMED = re.compile(r"""(?:\{% icon |\bicon=|\bicon_name=)"([a-z0-9-]+)\"""")


def test_every_icon_of_the_templates_is_in_the_sprite():
    sprite = (BASE_DIR / "static" / SPRITE).read_text()
    named = {
        name
        for page in (ROOT / "templates").rglob("*.html")
        for name in NAMED.findall(page.read_text())
    }
    named |= {state.icon for state in STATES.values()}
    assert len(named) > 10
    assert {name for name in named if f'<symbol id="{name}"' not in sprite} == set()


def test_every_navigation_item_has_an_icon(signed_in, super_admin):
    sprite = (BASE_DIR / "static" / SPRITE).read_text()
    items = signed_in(super_admin).get("/").context["navigation"]
    assert len(items) == 11
    assert all(f'<symbol id="{item.icon}"' in sprite for item in items)


def test_every_state_has_a_badge():
    states = {*Authorization.State.values, "draft", "expiring", "permissions_missing"}
    assert states <= STATES.keys()


def test_an_icon_without_a_label_is_hidden_from_screen_readers():
    assert 'aria-hidden="true"' in icon("plug")
    assert 'aria-label="Menu"' in icon("plug", label="Menu")


@pytest.mark.parametrize("value", Environment.values)
def test_an_environment_is_a_color_and_its_name(value):
    for shown in (environment(value), environment_bar(value, "Runs in")):
        assert f"environment-{value}" in shown
        assert Environment(value).label in shown


def test_every_environment_has_a_color_that_contrasts_in_both_themes():
    styles = (BASE_DIR / "static/console/console.css").read_text()
    for value in Environment.values:
        assert f".environment-{value} {{ --environment: var(--" in styles
    for value in ("development", "stage", "production"):
        light, dark = re.search(rf"--{value}: light-dark\((#\w+), (#\w+)\)", styles).groups()
        assert _contrast(light, "#ffffff") >= 3
        assert _contrast(dark, "#171717") >= 3


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
