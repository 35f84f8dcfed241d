"""A connection with the defaults needs five presses, besides consent, and no typing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser

MOST_PRESSES = 5


@pytest.fixture
def presses(page) -> list[str]:
    """Return the names of what is pressed in the console's window."""
    names: list[str] = []
    page.expose_function("pressed", lambda name: names.append(name))
    page.add_init_script(
        "addEventListener('click', (event) => pressed(event.target.textContent.trim()), true)"
    )
    page.goto("/")
    return names


def open_card(page: Page, connector: str) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Microservices").click()
    page.get_by_role("link", name="+ Create New").click()
    wizard.press(page, connector)
    page.get_by_label("Connection Name").wait_for()


def test_oauth_2(page, console, presses) -> None:
    open_card(page, "Sandbox")
    look_over(page, "first step")
    wizard.press(page, "Create and Authorize")
    expect(page.get_by_text("It asks for 5 permissions")).to_be_visible()
    expect(page.get_by_role("dialog").get_by_text("Add and change contacts.")).to_be_visible()
    look_over(page, "authorize, permissions")
    with page.expect_popup() as opened:
        wizard.press(page, "Authorize")
    popup = opened.value
    wizard.sign_in_at_sandbox(popup, console.password)
    with popup.expect_event("close"):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(page)).to_be_visible(timeout=5000)
    look_over(page, "authorized, next steps")
    assert len(presses) <= MOST_PRESSES, presses
    for name in ("Use it in a function", "Call it from a program", "Publish it to Stage"):
        expect(page.get_by_role("link", name=name)).to_be_visible()
    page.get_by_role("link", name="Use it in a function").click()
    page.get_by_role("heading", name="New component").wait_for()


@pytest.mark.parametrize("connector", ["Sandbox Basic", "Sandbox API Key"])
def test_a_credential(page, console, presses, connector) -> None:
    open_card(page, connector)
    wizard.press(page, "Create and Authorize")
    wizard.button(page, "Authorize").wait_for()
    wizard.type_credentials(page, console.password, connector)
    expect(wizard.by_alice(page)).to_be_visible()
    assert len(presses) <= MOST_PRESSES, presses
    expect(page.get_by_role("link", name="Call it from a program")).to_be_visible()


def test_a_setting_of_the_first_step_opens_its_step(page) -> None:
    page.goto("/microservices/new/")
    wizard.press(page, "Sandbox")
    page.get_by_label("Connection Name").fill("Typed")
    wizard.press(page, "All Actions")
    page.get_by_role("checkbox", name="All Actions").wait_for()
    wizard.press(page, "Back")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Back")
    expect(page.get_by_label("Connection Name")).to_have_value("Typed")


def test_looking_at_cards_leaves_nothing_behind(page) -> None:
    page.goto("/microservices/new/")
    wizard.press(page, "Sandbox")
    page.get_by_label("Connection Name").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_url("**/microservices/new/")
    page.goto("/microservices/")
    expect(page.get_by_role("link", name="Sandbox Connection")).to_have_count(0)
