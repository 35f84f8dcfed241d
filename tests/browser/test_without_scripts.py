"""The main journey without scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import DEVELOPER

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(page, visit) -> Page:
    """Open a page in a browser without scripts, without earlier connections."""
    plain = visit(DEVELOPER, scripts=False)
    plain.goto("/")
    return plain


def test_it_authorizes_oauth_2(plain, console) -> None:
    wizard.open_card(plain, "Sandbox")
    wizard.answer(plain, permissions=True)
    with plain.expect_popup() as opened:  # the form's target needs no script
        wizard.press(plain, "Authorize")
    window = opened.value
    wizard.sign_in_at_sandbox(window, console.password)
    wizard.press(window, "Allow")
    expect(wizard.by_alice(window)).to_be_visible()
    window.get_by_role("link", name="Open connection").click()
    expect(wizard.by_alice(window)).to_be_visible()
    wizard.press(window, "Test")
    expect(window.get_by_text("It works: Sandbox answered as alice@example.com")).to_be_visible()


def test_it_authorizes_a_password(plain, console) -> None:
    wizard.open_card(plain, "Sandbox Basic")
    wizard.answer(plain)
    wizard.type_credentials(plain, console.password, "Sandbox Basic")
    expect(wizard.by_alice(plain)).to_be_visible()


def test_it_shows_errors_and_keeps_the_input(plain) -> None:
    wizard.open_card(plain, "Sandbox Basic")
    plain.get_by_label("Connection Name").fill("Not \u200ballowed")
    wizard.press(plain, "Next")
    expect(plain.get_by_role("alert").first).to_contain_text("Remove U+200B")
    expect(plain.get_by_label("Connection Name")).to_have_value("Not \u200ballowed")


def test_it_revokes_and_deletes(plain, console) -> None:
    wizard.open_card(plain, "Sandbox Basic")
    wizard.answer(plain)
    wizard.type_credentials(plain, console.password, "Sandbox Basic")
    plain.get_by_role("link", name="Revoke").click()
    wizard.press(plain, "Revoke")
    expect(plain.get_by_text("is no longer authorized")).to_be_visible()
    plain.get_by_role("link", name="Delete this connection").click()
    wizard.press(plain, "Delete this connection")
    expect(plain.get_by_text("Sandbox Basic Connection was deleted.")).to_be_visible()
