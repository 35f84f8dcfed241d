"""API keys, and opening an application, in a browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from console.keys.key_format import PATTERN
from tests.browser.conftest import DEVELOPER
from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_key_is_created_shown_once_and_revoked(visit, console, scripts):
    page = visit(DEVELOPER, scripts=scripts)
    page.goto(f"{console.url}/apps/field_service/")
    page.get_by_role("link", name="Keys").click()
    page.get_by_label("Name").fill("Nightly import")
    page.get_by_role("button", name="Create key").click()

    expect(page.locator("#key-text")).to_have_text(re.compile(PATTERN))
    text = page.locator("#key-text").inner_text()
    if scripts:
        look_over(page, "a new key")

    page.get_by_role("link", name="Revoke Nightly import").click()
    assert text not in page.content()
    if scripts:
        look_over(page, "revoke a key")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("has been revoked")).to_be_visible()
    assert text not in page.content()
    if scripts:
        look_over(page, "keys")


def test_an_application_is_opened(visit, console):
    page = visit(DEVELOPER)
    page.goto(f"{console.url}/apps/field_service/")
    page.get_by_role("link", name="Open", exact=True).click()
    look_over(page, "open an application")
    page.get_by_role("radio", name="Stage").check()
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#token")).to_have_text(re.compile(r"^eyJ"))
    look_over(page, "a token")


def test_a_problem_type_has_a_page(visit, console):
    page = visit("")
    page.goto(f"{console.url}/problems/authorization-required")
    expect(page.get_by_role("heading", level=1)).to_have_text("The connection needs authorization")
    look_over(page, "a problem")
