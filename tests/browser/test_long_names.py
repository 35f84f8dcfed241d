"""A name of 50 letters without a space widens no page and no dialog of a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DEVELOPER
from tests.browser.wizard import answer, open_card, type_credentials, wait_until_ready

pytestmark = pytest.mark.browser
NAME = "Supercalifragilisticexpialidociousconnectionnumber"
#: What is wider than its place, except where people scroll on purpose.
TOO_WIDE = """() => {
  const places = [document.documentElement, ...document.querySelectorAll("dialog[open], main")];
  if (places.every((each) => each.scrollWidth <= each.clientWidth + 1)) return [];
  return [...document.querySelectorAll("body *")]
    .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
    .map((each) => each.outerHTML.slice(0, 120));
}"""


def check(page: Page, name: str) -> None:
    assert page.evaluate(TOO_WIDE) == [], name


def test_it_fits_on_a_phone(visit, console) -> None:
    assert len(NAME) == 50
    page = visit(DEVELOPER)
    page.goto("/microservices/")
    page.set_viewport_size({"width": 1440, "height": 900})
    open_card(page, "Sandbox API Key")
    page.set_viewport_size({"width": 360, "height": 780})
    page.get_by_label("Connection Name").fill(NAME)
    answer(page, look=check)
    type_credentials(page, console.password, "Sandbox API Key")
    check(page, "details")
    details = page.url
    for place in ("/", "/microservices/", "/health/", f"{details}calls/", f"{details}delete/"):
        page.goto(place)
        check(page, place)
    page.goto(details)
    revoke = page.get_by_role("link", name=re.compile("^Revoke")).get_attribute("href")
    for place in (revoke, f"{details}authorize/?environment=all", "/apps/field_service/"):
        page.goto(str(place))
        wait_until_ready(page)
        check(page, str(place))
