"""The palette on Ctrl+K: find and open anything without the mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Search, or type a command")


def options(page: Page) -> Locator:
    return page.get_by_role("listbox", name="Results").get_by_role("option")


def open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    options(page).first.wait_for()


def test_typing_and_enter_open_the_first_result(page) -> None:
    page.goto("/")
    open_palette(page)
    page.keyboard.type("second factor")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Security")
    look_over(page, "palette")
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/2fa/")


def test_arrow_keys_choose_and_the_list_has_no_end(page) -> None:
    page.goto("/")
    open_palette(page)
    first, last = options(page).first, options(page).last
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(first).to_have_attribute("aria-selected", "true")
    chosen = field(page).get_attribute("aria-activedescendant")
    assert chosen == first.get_attribute("id")


def test_escape_and_a_second_press_close_it_and_give_the_focus_back(page) -> None:
    page.goto("/microservices/new/")
    search = page.get_by_label("Search", exact=True)
    for key in ("Escape", "Control+k"):
        search.focus()
        open_palette(page)
        page.keyboard.press(key)
        expect(field(page)).to_be_hidden()
        expect(search).to_be_focused()


def test_nothing_found_says_what_to_do(page) -> None:
    page.goto("/")
    open_palette(page)
    page.keyboard.type("qqqqqq")
    expect(page.get_by_text("Nothing found. Enter searches everything.")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/?q=qqqqqq")
