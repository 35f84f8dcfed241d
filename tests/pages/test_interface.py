"""Icons and states that the templates use exist."""

from __future__ import annotations

import re

from connections.models import Authorization
from connections.models.state_badge import STATES
from console.settings import BASE_DIR
from console.templatetags.interface import SPRITE, icon
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
    assert len(items) == 9
    assert all(f'<symbol id="{item.icon}"' in sprite for item in items)


def test_every_state_has_a_badge():
    states = {*Authorization.State.values, "draft", "expiring", "permissions_missing"}
    assert states <= STATES.keys()


def test_an_icon_without_a_label_is_hidden_from_screen_readers():
    assert 'aria-hidden="true"' in icon("plug")
    assert 'aria-label="Menu"' in icon("plug", label="Menu")
