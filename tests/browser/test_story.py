"""The main journey: choose a connector, answer four questions, authorize, see the account."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import DEVELOPER
from tests.browser.pictures import keep_picture

pytestmark = pytest.mark.browser


def test_it_authorizes_oauth_2_for_both_environments_at_once(page, console) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox", look=keep_picture)
    expect(page.get_by_label("Connection Name")).to_have_value("Sandbox Connection")
    wizard.answer(page, permissions=True, look=keep_picture)
    wizard.authorize_in_popup(page, console.password, look=keep_picture)
    expect(page.get_by_role("heading", name="Sandbox Connection", level=1)).to_be_visible()
    expect(page.get_by_role("heading", name="Development and Stage")).to_be_visible()
    expect(wizard.by_alice(page)).to_have_count(1)
    keep_picture(page, "details")
    wizard.press(page, "Test")
    expect(page.get_by_text("It works: Sandbox answered as alice@")).to_be_visible()


@pytest.mark.parametrize("connector", ["Sandbox Basic", "Sandbox API Key"])
def test_it_authorizes_typed_credentials_for_both_environments_at_once(
    page, console, connector
) -> None:
    wizard.create_and_authorize(page, connector, console.password)
    expect(page.get_by_role("heading", name="Development and Stage")).to_be_visible()
    wizard.press(page, "Test")
    expect(page.get_by_text(f"It works: {connector} answered as alice@")).to_be_visible()


@pytest.mark.parametrize("connector", ["Sandbox", "Sandbox Basic", "Sandbox API Key"])
def test_it_authorizes_each_environment_after_the_other(page, console, connector) -> None:
    page.goto("/")
    wizard.open_card(page, connector)
    wizard.answer(page, permissions=connector == "Sandbox", separate=True)
    for environment in ("Development", "Stage"):
        expect(page.get_by_role("checkbox", name=environment).first).to_be_checked()
        if connector == "Sandbox":
            wizard.authorize_in_popup(page, console.password)
        else:
            wizard.type_credentials(page, console.password, connector)
        place = page.get_by_role("listitem").filter(
            has=page.get_by_role("heading", name=environment, exact=True)
        )
        expect(wizard.by_alice(place)).to_be_visible()
        if environment == "Development":
            expect(wizard.by_alice(page)).to_have_count(1)
            page.get_by_role("link", name="Authorize Stage").click()
            wizard.button(page, "Authorize").wait_for()
    expect(wizard.by_alice(page)).to_have_count(2)


def test_it_takes_few_clicks_from_signing_in_to_an_authorized_connection(
    page, visit, console
) -> None:
    newcomer = visit()
    newcomer.context.add_init_script(
        "addEventListener('click', (e) => e.isTrusted && e.detail && console.info('click'), true)"
    )
    heard: list[str] = []
    newcomer.context.on("console", lambda message: heard.append(message.text))
    until_authorized: list[int] = []

    def look(page: Page, name: str) -> None:
        if name == "authorized":
            until_authorized.append(heard.count("click"))

    newcomer.goto("/")
    newcomer.get_by_label("E-mail address").fill(DEVELOPER)
    newcomer.get_by_label("Password").fill(console.password)
    wizard.press(newcomer, "Sign in")
    newcomer.get_by_role("heading", name="Home").wait_for()
    wizard.open_card(newcomer, "Sandbox")
    wizard.answer(newcomer, permissions=True)
    wizard.authorize_in_popup(newcomer, console.password, look=look)
    (clicks,) = until_authorized
    assert 10 <= clicks <= 12


def test_it_numbers_the_second_connection_to_a_service(page, console) -> None:
    wizard.create_and_authorize(page, "Sandbox API Key", console.password)
    wizard.open_card(page, "Sandbox API Key")
    expect(page.get_by_label("Connection Name")).to_have_value("Sandbox API Key Connection 2")
