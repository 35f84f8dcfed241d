"""The map of an application by keyboard, mouse and without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DEVELOPER
from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser
URL = "/apps/field_service/map/"


def width(page: Page) -> int:
    return page.evaluate("document.querySelector('[data-map] > svg').getBoundingClientRect().width")


def test_it_zooms_and_moves_and_finds(page) -> None:
    page.goto(URL)
    look_over(page, "map")
    frame = page.get_by_role("group", name="Map of the application")
    frame.focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert width(page) == 1500
    before = page.evaluate("document.querySelector('[data-map]').scrollLeft")
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 500, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 100, steps=4)
    page.mouse.up()
    assert page.evaluate("document.querySelector('[data-map]').scrollLeft") == before + 100
    assert page.url.endswith(URL)  # the drag opened nothing
    page.get_by_role("link", name="100 %").click()
    assert width(page) == 960
    page.get_by_label("Find in the map").fill("lumen or nothing")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    page.get_by_label("Find in the map").fill("text messages")
    expect(page.locator(".map-found")).to_have_count(1)
    page.get_by_role("link", name="List", exact=True).click()
    expect(page.locator(".map-list")).to_be_visible()
    page.set_viewport_size({"width": 360, "height": 780})
    expect(page.get_by_label("Find in the map")).to_be_visible()
    expect(page.locator(".map-list")).to_be_visible()


def test_without_scripts_the_zoom_is_a_link(visit) -> None:
    page = visit(DEVELOPER, scripts=False)
    page.goto(URL)
    page.get_by_role("link", name="200 %").click()
    expect(page.locator(".map-scroll > svg")).to_have_attribute("width", "1920")
    page.set_viewport_size({"width": 360, "height": 780})
    expect(page.locator(".map-scroll")).to_be_hidden()
    expect(page.locator(".map-list")).to_be_visible()
