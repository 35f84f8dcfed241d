"""What the pages draw is there to be drawn."""

from __future__ import annotations

import re

from connections.models import Authorization
from console.settings import BASE_DIR
from console.templatetags.interface import SPRITE, STATES, icon
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


def test_every_door_of_the_pane_has_its_icon(signed_in, super_admin):
    sprite = (BASE_DIR / "static" / SPRITE).read_text()
    doors = signed_in(super_admin).get("/").context["navigation"]
    assert len(doors) == 9
    assert all(f'<symbol id="{door.icon}"' in sprite for door in doors)


def test_every_state_of_an_authorization_can_be_shown():
    states = {*Authorization.State.values, "draft", "expiring", "permissions_missing"}
    assert states <= STATES.keys()


def test_an_icon_is_decoration_unless_it_says_something():
    assert 'aria-hidden="true"' in icon("plug")
    assert 'aria-label="Menu"' in icon("plug", label="Menu")
