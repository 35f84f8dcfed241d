"""Pressing a button before the scripts have loaded has the same effect as later."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import DEVELOPER

pytestmark = pytest.mark.browser

#: Long enough to press a button that is there early.
LATE_MS = 1500
#: Without ``theme``, which blocks painting.
SCRIPTS = ("console", "connections", "htmx-2.min")


def delay_scripts(page: Page, *scripts: str) -> None:
    """Delay these scripts."""

    def wait(route) -> None:
        page.wait_for_timeout(LATE_MS)
        route.continue_()

    for script in scripts:
        page.route(_file(script), wait)


def empty_script(page: Page, script: str) -> None:
    """Serve an empty script, as if it could not be loaded."""
    page.route(_file(script), lambda route: route.fulfill(body="", content_type="text/javascript"))


def _file(script: str) -> re.Pattern[str]:
    return re.compile(rf"/{re.escape(script)}(\.\w+)?\.js$")


def open_early(page: Page, address: str) -> None:
    """Return as soon as the response begins, without waiting for scripts."""
    page.goto(address, wait_until="commit")


@pytest.fixture
def authorizing(page) -> str:
    """Return the URL of the page on which *Authorize* opens the service."""
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    wizard.answer(page, permissions=True)
    return page.url


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_service_opens_in_its_own_window(page, console, authorizing, script) -> None:
    delay_scripts(page, script)
    open_early(page, authorizing)
    with page.expect_popup() as opened:
        wizard.button(page, "Authorize").click()
    popup = opened.value
    page.get_by_text("Continue in the other window").wait_for()
    wizard.sign_in_at_sandbox(popup, console.password)
    with popup.expect_event("close"):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(page)).to_be_visible()
    assert page.url.partition("?")[0] == authorizing


def test_it_opens_in_its_own_window_without_the_script(page, console, authorizing) -> None:
    empty_script(page, "connections")
    open_early(page, authorizing)
    with page.expect_popup() as opened:
        wizard.button(page, "Authorize").click()
    wizard.sign_in_at_sandbox(opened.value, console.password)
    wizard.press(opened.value, "Allow")
    expect(wizard.by_alice(opened.value)).to_be_visible()
    assert page.url.partition("?")[0] == authorizing


def test_all_actions_selects_and_disables_all(page) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="All Actions").wait_for()
    delay_scripts(page, "console", "connections")
    open_early(page, page.url)
    page.get_by_role("checkbox", name="All Actions").check()
    expect(page.get_by_role("checkbox", name="Read Contacts")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Read Contacts")).to_be_disabled()


def test_a_filter_is_applied(page) -> None:
    delay_scripts(page, "htmx-2.min")
    open_early(page, "/microservices/new/")
    page.get_by_label("Category", exact=True).select_option("Payments and accounting")
    page.get_by_role("button", name="Stripe", exact=True).wait_for()
    expect(page.get_by_role("button", name="GitHub", exact=True)).to_have_count(0)


def test_typing_in_a_dialog_continues(page) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    delay_scripts(page, "htmx-2.min")  # the dialog becomes modal after it
    open_early(page, page.url)
    name = page.get_by_label("Connection Name")
    name.fill("")
    name.press_sequentially("Half")
    assert page.locator("dialog:modal").count() == 0
    wizard.wait_until_ready(page)
    page.keyboard.type(" and half")
    expect(name).to_have_value("Half and half")


def test_typing_in_the_editor_continues(visit) -> None:
    page = visit(DEVELOPER)
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="All components").click()
    page.get_by_role("link", name="Find customers").click()
    page.locator("textarea[name=definition]").wait_for(state="attached")
    delay_scripts(page, "components")
    page.on("dialog", lambda dialog: dialog.accept())  # the typed text is not saved
    open_early(page, page.url)
    text = page.locator("textarea[name=definition]")
    text.press("Control+Home")
    text.press_sequentially("\n")
    wizard.wait_until_ready(page)
    page.keyboard.type("x")
    assert text.input_value().startswith("\nx")


def test_a_copy_button_copies(visit) -> None:
    page = visit(DEVELOPER)
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="Open", exact=True).click()
    delay_scripts(page, "keys")
    page.get_by_role("radio", name="Stage").check()
    page.get_by_role("button", name="Open").click(no_wait_after=True)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name=re.compile("^(Copied|Selected)$"))).to_be_visible()
