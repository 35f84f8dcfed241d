"""Two tabs with the same form: the second to save shows both values."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.page_check import look_over
from tests.browser.wizard import button, open_card, press


def test_the_wizard_shows_both_answers(page: Page, faults) -> None:
    faults.expected_statuses.add(409)
    page.goto("/")
    open_card(page, "Sandbox")
    stale = page.context.new_page()
    stale.goto(page.url)
    page.get_by_label("Connection Name").fill("First tab")
    press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()

    stale.get_by_label("Connection Name").fill("Second tab")
    press(stale, "Next")

    alert = stale.get_by_role("alert")
    expect(alert).to_contain_text("Saved now: First tab")
    expect(alert).to_contain_text("Yours: Second tab")
    look_over(stale, "two answers")
    press(stale, "Next")
    stale.get_by_role("radio", name="Administrator").wait_for()
    page.reload()
    press(page, "Back")
    expect(page.get_by_label("Connection Name")).to_have_value("Second tab")


def test_the_saved_value_can_be_kept(page: Page, faults) -> None:
    faults.expected_statuses.add(409)
    page.goto("/")
    open_card(page, "Sandbox")
    stale = page.context.new_page()
    stale.goto(page.url)
    page.get_by_label("Connection Name").fill("First tab")
    press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    stale.get_by_label("Connection Name").fill("Second tab")
    press(stale, "Next")

    stale.get_by_role("link", name="keep the saved values").click()

    expect(stale.get_by_label("Connection Name")).to_have_value("First tab")
    expect(stale.get_by_role("alert")).to_have_count(0)
    expect(button(stale, "Next")).to_be_visible()
