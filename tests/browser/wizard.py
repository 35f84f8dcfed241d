"""Helpers that use the wizard and the sandbox in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

Look = Callable[[Page, str], None]


def skip_check(page: Page, name: str) -> None:
    """Ignore the page; the default of the callback that checks each page."""


def open_card(page: Page, connector: str, look: Look = skip_check) -> None:
    """Open the first question of the wizard for a connector, from any page."""
    wait_until_ready(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Microservices").click()
    page.get_by_role("link", name="+ Create New").click()
    search = page.get_by_label("Search", exact=True)
    search.wait_for()
    wait_until_ready(page)
    card = page.get_by_role("button", name=connector, exact=True)
    if not card.count():  # not among the first cards of the gallery
        search.fill(connector)
    card.wait_for()
    look(page, "gallery")
    card.click()
    page.get_by_label("Connection Name").wait_for()
    look(page, "name")


def answer(
    page: Page, *, permissions: bool = False, separate: bool = False, look: Look = skip_check
) -> None:
    """Answer all questions, from the name to *Create and Authorize*."""
    press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    look(page, "level")
    press(page, "Next")
    if permissions:
        page.get_by_role("checkbox", name="All Actions").check()
        look(page, "permissions")
        press(page, "Next")
    environments = page.get_by_role(
        "checkbox", name="Use different authorizations for each environment"
    )
    environments.wait_for()
    if separate:
        environments.check()
    look(page, "environments")
    press(page, "Create and Authorize")
    button(page, "Authorize").wait_for()
    look(page, "authorize")


def press(page: Page, name: str) -> None:
    wait_until_ready(page)
    button(page, name).click()


def wait_until_ready(page: Page) -> None:
    """Wait until the page's scripts are listening; return at once if there are none."""
    page.locator("html[data-ready], html:not(.scripted)").wait_for(state="attached")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def by_alice(place: Page | Locator) -> Locator:
    """Find the text that names alice's account."""
    return by("alice", place)


def by(who: str, place: Page | Locator) -> Locator:
    return place.get_by_text(f"Authorized as {who}@example.com", exact=True)


def authorize_in_popup(
    page: Page,
    password: str,
    look: Look = skip_check,
    *,
    who: str = "alice",
    returns: bool = False,
) -> None:
    """Press *Authorize*, consent in the popup, and wait until it closes.

    With ``returns`` the page then leads back to where the authorization began.
    """
    with page.expect_popup() as opened:
        press(page, "Authorize")
    popup = opened.value
    page.get_by_text("Continue in the other window").wait_for()
    look(page, "waiting")
    sign_in_at_sandbox(popup, password, look=look, who=who)
    button(popup, "Allow").wait_for()
    look(popup, "sandbox-consent")
    with popup.expect_event("close"):
        button(popup, "Allow").click(no_wait_after=True)
    if returns:
        page.get_by_text(f"is authorized as {who}@example.com.").wait_for()
        return
    # The waiting page notices within two seconds.
    expect(by(who, page)).to_be_visible(timeout=2000)
    look(page, "authorized")
    page.get_by_role("link", name="Open connection").click()


def sign_in_at_sandbox(
    page: Page, password: str, look: Look = skip_check, *, who: str = "alice"
) -> None:
    """Sign in as alice or bob, unless the browser is signed in already."""
    page.get_by_role("button", name=re.compile("^(Sign in|Allow)$")).wait_for()
    if button(page, "Allow").is_visible():
        return
    look(page, "sandbox-sign-in")
    page.get_by_label("User name").fill(who)
    page.get_by_label("Password").fill(password)
    press(page, "Sign in")


def type_credentials(page: Page, password: str, connector: str) -> None:
    """Enter alice's credential and press *Authorize*."""
    if connector == "Sandbox Basic":
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password").fill(password)
    else:
        page.get_by_label("API key").fill(password)
    press(page, "Authorize")
    page.get_by_role("heading", name="Authorization", exact=True).wait_for()


def create_and_authorize(page: Page, connector: str, password: str, name: str = "") -> None:
    """Create a connection and open its details page."""
    if page.url == "about:blank":
        page.goto("/")
    open_card(page, connector)
    if name:
        page.get_by_label("Connection Name").fill(name)
    answer(page, permissions=connector == "Sandbox")
    if connector == "Sandbox":
        authorize_in_popup(page, password)
    else:
        type_credentials(page, password, connector)
    expect(by_alice(page)).to_be_visible()
