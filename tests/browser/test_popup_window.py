"""The popup of an authorization: refused by the console, closed early, or left behind."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.page_check import look_over
from tests.browser.test_popup import open_popup

pytestmark = pytest.mark.browser


def authorize_page(page: Page, *, separate: bool = False) -> Page:
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    wizard.answer(page, permissions=True, separate=separate)
    return page


def environment(page: Page, name: str):
    return page.get_by_role("checkbox", name=name, exact=True)


def test_trying_again_keeps_the_environments(page, console) -> None:
    authorize_page(page, separate=True)
    environment(page, "Development").uncheck()
    environment(page, "Stage").check()
    popup = open_popup(page)
    wizard.sign_in_at_sandbox(popup, console.password)
    wizard.press(popup, "Deny")
    page.get_by_role("link", name="Try again").click()
    expect(environment(page, "Stage")).to_be_checked()
    expect(environment(page, "Development")).not_to_be_checked()


def test_no_window_opens_without_an_environment(page, faults) -> None:
    faults.expected_statuses.add(422)
    authorize_page(page, separate=True)
    environment(page, "Development").uncheck()
    wizard.press(page, "Authorize")
    expect(page.get_by_text("Choose at least one environment.", exact=True)).to_be_visible()
    look_over(page, "authorize, no environment")
    assert len(page.context.pages) == 1
    environment(page, "Development").check()
    popup = open_popup(page)
    popup.get_by_label("User name").wait_for()


def test_a_form_that_the_console_rejects_comes_back_to_the_page(page, faults) -> None:
    faults.expected_statuses.add(422)
    authorize_page(page, separate=True)
    environment(page, "Development").evaluate("(box) => { box.value = 'elsewhere'; }")
    with page.expect_popup() as opened:
        wizard.press(page, "Authorize")
    expect(page.get_by_text(re.compile("^Select a valid choice. elsewhere"))).to_be_visible()
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")


def test_a_closed_window_is_noticed_and_can_be_opened_again(page, console) -> None:
    popup = open_popup(authorize_page(page))
    popup.get_by_label("User name").wait_for()
    page.wait_for_timeout(1500)
    expect(page.get_by_text("Continue in the other window")).to_be_visible()
    popup.close()
    expect(page.get_by_text("The window was closed")).to_be_visible()
    page.wait_for_timeout(2500)  # the status was loaded again meanwhile
    expect(page.get_by_text("The window was closed")).to_be_visible()
    expect(page.get_by_text("Continue in the other window")).to_be_hidden()
    look_over(page, "authorize, window closed")
    with page.expect_popup() as opened:
        wizard.press(page, "Open again")
    popup = opened.value
    wizard.sign_in_at_sandbox(popup, console.password)
    with popup.expect_event("close"):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(page)).to_be_visible(timeout=2000)


def test_waiting_can_be_canceled(page, console) -> None:
    popup = open_popup(authorize_page(page))
    popup.get_by_label("User name").wait_for()
    page.get_by_text("Continue in the other window").wait_for()
    wizard.press(page, "Cancel")
    expect(page.get_by_text("The authorization was canceled.")).to_be_visible()
    expect(page.get_by_text("you can close it")).to_be_visible()
    expect(wizard.button(page, "Authorize")).to_be_focused()
    expect(page.get_by_text("Continue in the other window")).to_have_count(0)
    assert "flow=" not in page.url
    popup.close()
    wizard.authorize_in_popup(page, console.password)


def test_waiting_can_be_canceled_before_the_flow_has_begun(page) -> None:
    authorize_page(page, separate=True)
    environment(page, "Development").uncheck()
    environment(page, "Stage").check()
    held = []
    page.context.route("**/authorize/", lambda route: held.append(route.request))
    open_popup(page)
    wizard.press(page, "Cancel")
    expect(page.get_by_text("The authorization was canceled.")).to_be_visible()
    expect(environment(page, "Stage")).to_be_checked()
    expect(environment(page, "Development")).not_to_be_checked()
    assert "flow=" not in page.url
    # The request of the window arrives only now.
    [request] = held
    late = page.request.post(request.url, data=request.post_data, headers=request.headers)
    assert "/flows/" in late.url
    assert "You canceled this authorization." in late.text()
    page.context.unroute("**/authorize/")
    popup = open_popup(page)
    popup.get_by_label("User name").wait_for()


def test_the_window_says_that_it_was_canceled(page, console) -> None:
    popup = open_popup(authorize_page(page))
    wizard.sign_in_at_sandbox(popup, console.password)
    page.get_by_text("Continue in the other window").wait_for()
    page.reload()  # the page cannot close the window from now on
    wizard.press(page, "Cancel")
    wizard.button(page, "Authorize").wait_for()
    wizard.press(popup, "Allow")
    expect(popup.get_by_text("You canceled this authorization.")).to_be_visible()
    look_over(popup, "canceled, in the window")
    expect(wizard.button(page, "Authorize")).to_be_visible()


def test_a_reloaded_page_waits_on(page, console) -> None:
    popup = open_popup(authorize_page(page))
    wizard.sign_in_at_sandbox(popup, console.password)
    page.get_by_text("Continue in the other window").wait_for()
    page.reload()
    expect(page.get_by_text("Continue in the other window")).to_be_visible()
    expect(wizard.button(page, "Authorize")).to_be_hidden()
    look_over(page, "authorize, reloaded")
    with popup.expect_event("close"):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(page)).to_be_visible(timeout=2000)


def test_a_window_that_nobody_waits_for_is_no_second_console(page, console) -> None:
    popup = open_popup(authorize_page(page))
    wizard.sign_in_at_sandbox(popup, console.password)
    page.goto("/")
    wizard.press(popup, "Allow")
    expect(wizard.by_alice(popup)).to_be_visible()
    popup.wait_for_timeout(2000)  # by then it would have opened the connection
    expect(wizard.by_alice(popup)).to_be_visible()
    expect(popup.get_by_role("link", name="Open connection")).to_be_hidden()
    look_over(popup, "result in a window")
    with popup.expect_event("close"):
        wizard.button(popup, "Close this window").click(no_wait_after=True)


def test_the_service_cannot_reach_the_page(page) -> None:
    popup = open_popup(authorize_page(page))
    popup.get_by_label("User name").wait_for()
    assert popup.evaluate("window.opener") is None
