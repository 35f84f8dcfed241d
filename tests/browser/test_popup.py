"""The service's page in a popup without ``window.opener``."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard

pytestmark = pytest.mark.browser


@pytest.fixture
def waiting(page) -> Page:
    """Go through the wizard up to the button that opens the popup."""
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    wizard.answer(page, permissions=True)
    return page


def open_popup(page: Page) -> Page:
    with page.expect_popup() as opened:
        wizard.press(page, "Authorize")
    return opened.value


def test_it_closes_and_the_page_shows_the_result(waiting, console) -> None:
    popup = open_popup(waiting)
    wizard.sign_in_at_sandbox(popup, console.password)
    with popup.expect_event("close", timeout=5000):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(waiting)).to_be_visible(timeout=2000)
    waiting.get_by_role("link", name="Open connection").click()
    expect(wizard.by_alice(waiting)).to_be_visible()


def test_it_stays_open_with_a_message_when_consent_is_denied(waiting, console) -> None:
    popup = open_popup(waiting)
    wizard.sign_in_at_sandbox(popup, console.password)
    wizard.press(popup, "Deny")
    expect(popup.get_by_text("the request was declined on its page")).to_be_visible()
    expect(waiting.get_by_text("the request was declined on its page")).to_be_visible(timeout=2000)
    popup.wait_for_timeout(2000)  # after a success it would have closed by now
    assert not popup.is_closed()
    # The console's pages cut window.opener, and nothing needs it.
    assert popup.evaluate("window.opener") is None
    waiting.get_by_role("link", name="Try again").click()
    expect(wizard.button(waiting, "Authorize")).to_be_visible()


def test_it_uses_the_same_tab_when_popups_are_blocked(waiting, console) -> None:
    waiting.evaluate("window.open = () => null")
    wizard.press(waiting, "Authorize")
    wizard.sign_in_at_sandbox(waiting, console.password)
    wizard.press(waiting, "Allow")
    waiting.wait_for_url("**/connections/*/")
    expect(wizard.by_alice(waiting)).to_be_visible()
    assert len(waiting.context.pages) == 1


def test_it_keeps_waiting_when_the_window_is_closed_early(waiting, console) -> None:
    popup = open_popup(waiting)
    popup.wait_for_load_state()
    popup.close()
    again = wizard.button(waiting, "Open again")
    waiting.wait_for_timeout(2500)  # it has polled the status meanwhile
    expect(again).to_be_visible()
    with waiting.expect_popup() as opened:
        again.click()
    popup = opened.value
    wizard.sign_in_at_sandbox(popup, console.password)
    with popup.expect_event("close"):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(waiting)).to_be_visible(timeout=2000)


def test_it_notices_without_a_broadcast_channel(waiting, console) -> None:
    waiting.evaluate("window.BroadcastChannel.prototype.postMessage = () => {}")
    popup = open_popup(waiting)
    wizard.sign_in_at_sandbox(popup, console.password)
    wizard.press(popup, "Allow")
    expect(wizard.by_alice(waiting)).to_be_visible(timeout=2000)


def test_it_tells_a_foreign_opener_nothing(waiting, console) -> None:
    popup = open_popup(waiting)
    wizard.sign_in_at_sandbox(popup, console.password)
    with waiting.context.expect_event(
        "response", lambda response: "/flows/" in response.url and "/status/" not in response.url
    ) as answered:
        wizard.button(popup, "Allow").click(no_wait_after=True)
    result = answered.value.url
    expect(wizard.by_alice(waiting)).to_be_visible()
    waiting.goto("/")  # the waiting page would answer, and the popup would close
    foreign = waiting.context.new_page()
    foreign.route(
        "http://foreign.example/",
        lambda route: route.fulfill(
            content_type="text/html",
            body="<script>window.heard = []; onmessage = (e) => heard.push(e.data);</script>"
            "<button onclick='opened = window.open(this.value)'>Open</button>",
        ),
    )
    foreign.goto("http://foreign.example/")
    foreign.get_by_role("button").evaluate("(button, url) => { button.value = url; }", result)
    with foreign.expect_popup() as opened:
        foreign.get_by_role("button").click()
    opened.value.wait_for_url("**/connections/*/")  # no page answered, so it continued
    assert foreign.evaluate("heard") == []
    assert foreign.evaluate("opened.closed") is True  # cut, not readable
