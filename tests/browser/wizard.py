"""What a person does in the wizard and at the sandbox, click by click."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

Look = Callable[[Page, str], None]


def look_away(page: Page, name: str) -> None:
    """Stand in for somebody who looks at each page of the story."""


def open_card(page: Page, connector: str, look: Look = look_away) -> None:
    """Go from anywhere in the console to the first question about a connector."""
    wait_until_ready(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Microservices").click()
    page.get_by_role("link", name="+ Create New").click()
    search = page.get_by_label("Search", exact=True)
    search.wait_for()
    wait_until_ready(page)
    card = page.get_by_role("button", name=connector, exact=True)
    if not card.count():  # beyond the first ones that the gallery shows
        search.fill(connector)
    card.wait_for()
    look(page, "gallery")
    card.click()
    page.get_by_label("Connection Name").wait_for()
    look(page, "name")


def answer(
    page: Page, *, permissions: bool = False, separate: bool = False, look: Look = look_away
) -> None:
    """Answer every question from the name to *Create and Authorize*."""
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
    """Return when the scripts of a page listen; at once where it has none, or runs none."""
    page.locator("html[data-ready], html:not(.scripted)").wait_for(state="attached")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def by_alice(place: Page | Locator) -> Locator:
    """Find where it says whose account acts."""
    return by("alice", place)


def by(who: str, place: Page | Locator) -> Locator:
    return place.get_by_text(f"Authorized as {who}@example.com", exact=True)


def authorize_in_popup(
    page: Page, password: str, look: Look = look_away, *, who: str = "alice"
) -> None:
    """Press *Authorize*, consent in the window that opens, and see it close."""
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
    # The page that waits learns of it within two seconds.
    expect(by(who, page)).to_be_visible(timeout=2000)
    look(page, "authorized")
    page.get_by_role("link", name="Open connection").click()


def sign_in_at_sandbox(
    page: Page, password: str, look: Look = look_away, *, who: str = "alice"
) -> None:
    """Sign in as alice or bob, unless this browser is signed in there already."""
    page.get_by_role("button", name=re.compile("^(Sign in|Allow)$")).wait_for()
    if button(page, "Allow").is_visible():
        return
    look(page, "sandbox-sign-in")
    page.get_by_label("User name").fill(who)
    page.get_by_label("Password").fill(password)
    press(page, "Sign in")


def type_credentials(page: Page, password: str, connector: str) -> None:
    """Type alice's credential in and press *Authorize*."""
    if connector == "Sandbox Basic":
        page.get_by_label("User name").fill("alice")
        page.get_by_label("Password").fill(password)
    else:
        page.get_by_label("API key").fill(password)
    press(page, "Authorize")
    page.get_by_role("heading", name="Authorization", exact=True).wait_for()


def create_and_authorize(page: Page, connector: str, password: str, name: str = "") -> None:
    """Make a connection and leave its details page open."""
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
