"""The wizard with only the keyboard, and with the browser's own buttons."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import wizard

pytestmark = pytest.mark.browser


def tab_to(page: Page, target: Locator, at_most: int = 60) -> None:
    """Press Tab until the target has the focus."""
    target.wait_for()
    for _ in range(at_most):
        if target.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{target} cannot be reached with {at_most} times Tab")


def press_by_keyboard(page: Page, target: Locator, key: str = "Enter") -> None:
    tab_to(page, target)
    page.keyboard.press(key)


def test_it_can_be_completed_by_keyboard(page, console) -> None:
    page.goto("/")
    doors = page.get_by_role("navigation", name="Main")
    press_by_keyboard(page, doors.get_by_role("link", name="Microservices"))
    page.wait_for_url("**/microservices/")
    press_by_keyboard(page, page.get_by_role("link", name="+ Create New"))
    page.wait_for_url("**/microservices/new/")
    press_by_keyboard(page, wizard.button(page, "Sandbox"))
    name = page.get_by_label("Connection Name")
    expect(name).to_be_focused()
    name.select_text()
    page.keyboard.type("Typed Connection")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="Administrator")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Logged-in User")).to_be_checked()
    press_by_keyboard(page, wizard.button(page, "Next"))
    press_by_keyboard(page, page.get_by_role("checkbox", name="All Actions"), "Space")
    expect(page.get_by_text("4 of 4 permissions")).to_be_visible()
    press_by_keyboard(page, wizard.button(page, "Next"))
    different = page.get_by_role(
        "checkbox", name="Use different authorizations for each environment"
    )
    expect(different).to_be_focused()
    press_by_keyboard(page, wizard.button(page, "Create and Authorize"))
    with page.expect_popup() as opened:
        press_by_keyboard(page, wizard.button(page, "Authorize"))
    popup = opened.value
    tab_to(popup, popup.get_by_label("User name"))
    popup.keyboard.type("alice")
    tab_to(popup, popup.get_by_label("Password"))
    popup.keyboard.type(console.password)
    popup.keyboard.press("Enter")
    with popup.expect_event("close"):
        press_by_keyboard(popup, wizard.button(popup, "Allow"))
    press_by_keyboard(page, page.get_by_role("link", name="Open connection"))
    expect(page.get_by_role("heading", name="Typed Connection", level=1)).to_be_visible()
    expect(wizard.by_alice(page)).to_be_visible()


def test_escape_closes_the_wizard_and_keeps_the_draft(page) -> None:
    start_draft(page, "Kept Connection")
    page.keyboard.press("Escape")
    page.wait_for_url("**/microservices/")
    page.get_by_role("link", name="Kept Connection").click()
    expect(page.get_by_label("Connection Name")).to_have_value("Kept Connection")


def test_the_card_continues_the_existing_draft(page) -> None:
    start_draft(page, "Kept Connection")
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    expect(page.get_by_label("Connection Name")).to_have_value("Kept Connection")


def test_the_back_button_of_the_browser_shows_the_previous_question(page) -> None:
    start_draft(page, "Kept Connection")
    page.get_by_role("radio", name="Logged-in User").check()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="All Actions").wait_for()
    page.go_back()
    expect(page.get_by_role("radio", name="Logged-in User")).to_be_checked()
    page.go_back()
    expect(page.get_by_label("Connection Name")).to_have_value("Kept Connection")
    page.go_forward()
    expect(page.get_by_role("radio", name="Logged-in User")).to_be_checked()


def test_the_back_button_of_the_wizard_keeps_answers(page) -> None:
    start_draft(page, "Kept Connection")
    page.get_by_role("radio", name="Logged-in User").check()
    wizard.press(page, "Back")
    expect(page.get_by_label("Connection Name")).to_have_value("Kept Connection")
    wizard.press(page, "Next")
    expect(page.get_by_role("radio", name="Logged-in User")).to_be_checked()


def test_reloading_shows_the_same_question(page) -> None:
    start_draft(page, "Kept Connection")
    page.reload()
    expect(page.get_by_role("radio", name="Administrator")).to_be_visible()


def test_a_second_tab_continues_the_same_draft(page) -> None:
    start_draft(page, "Kept Connection")
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("radio", name="Logged-in User").check()
    wizard.press(second, "Next")
    second.get_by_role("checkbox", name="All Actions").check()
    wizard.press(second, "Next")
    wizard.press(second, "Create and Authorize")
    wizard.button(second, "Authorize").wait_for()
    # The first tab is outdated now: it redirects to the created connection.
    page.reload()
    expect(page.get_by_role("heading", name="Kept Connection").first).to_be_visible()


def start_draft(page: Page, name: str) -> None:
    """Answer the first question and open the second."""
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    page.get_by_label("Connection Name").fill(name)
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()


def test_all_connectors_can_be_reached_by_keyboard(page, console) -> None:
    page.goto("/microservices/new/")
    cards = page.locator(".connector-card")
    expect(cards).to_have_count(24)
    press_by_keyboard(page, page.get_by_role("link", name="Show all"))
    expect(cards.nth(24)).to_be_focused()
    page.get_by_label("Search", exact=True).focus()
    page.keyboard.type("gogle calender")
    expect(cards).to_have_count(1)
    press_by_keyboard(page, wizard.button(page, "Google Calendar"))
    expect(page.get_by_label("Connection Name")).to_be_focused()


def test_enter_means_next_in_every_step(page) -> None:
    page.goto("/microservices/new/")
    wizard.press(page, "Sandbox")
    page.get_by_label("Connection Name").press("Enter")
    page.get_by_role("radio", name="Administrator").press("Enter")
    page.get_by_role("checkbox", name="Read Orders").check()
    page.get_by_label("Search permissions").press("Enter")
    page.get_by_role("checkbox", name="Use different authorizations").press("Enter")
    wizard.button(page, "Authorize").wait_for()


def test_a_second_tab_that_goes_on_opens_the_created_connection(page) -> None:
    start_draft(page, "Kept Connection")
    second = page.context.new_page()
    second.goto(page.url)
    second.get_by_role("button", name="Back", exact=True).click()
    second.get_by_label("Connection Name").wait_for()
    wizard.press(second, "Create and Authorize")
    wizard.button(second, "Authorize").wait_for()
    wizard.press(page, "Next")
    expect(wizard.button(page, "Authorize")).to_be_visible()
    expect(page.get_by_role("heading", name="Authorize Kept Connection")).to_be_visible()
