"""Check a page automatically: narrow and wide, light and dark."""

from __future__ import annotations

import re
from functools import cache

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from console.stylesheet.build import NAME, TABLER, build

WIDTHS = {360: 780, 1440: 900}
SCHEMES = ("light", "dark")
_AXE = Axe()


def look_over(page: Page, name: str) -> None:
    """Fail if axe finds a violation, the page scrolls horizontally, or a class has lost its style.

    Afterwards the page is 1440 pixels wide and light again.
    """
    page.locator("main").wait_for()
    found = [f"{name}: Tabler's class {each} is missing" for each in unstyled(page)]
    for width, height in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            view = f"{name}, {width} px, {scheme}"
            if scheme == "light" and (by := sideways(page)) > 0:
                found.append(f"{view}: {by} px wider than the window")
            found += [f"{view}: {violation}" for violation in violations(page)]
    page.emulate_media(color_scheme="light")
    assert found == [], "\n".join(found)


def sideways(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return page.evaluate("document.scrollingElement.scrollWidth - innerWidth")


def violations(page: Page) -> list[str]:
    return [
        f"{violation['id']} at {' | '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in _AXE.run(page).response["violations"]
    ]


def unstyled(page: Page) -> set[str]:
    """Return the classes on a page that Tabler styles, but not the part of it that is served."""
    used = page.evaluate("[...document.querySelectorAll('[class]')].flatMap(e => [...e.classList])")
    return {*used} & _left_out()


@cache
def _left_out() -> frozenset[str]:
    whole, served = (
        {*re.findall(r"\.(-?[A-Za-z_][\w-]*)", file.read_text(encoding="utf-8"))}
        for file in (TABLER, build() / NAME)
    )
    return frozenset(whole - served)
