"""A super admin registers this console with a service in Administration."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import wizard
from tests.browser.conftest import OPERATOR, SUPER_ADMIN
from tests.browser.looking import sideways

pytestmark = pytest.mark.browser


def test_registering_a_service_makes_its_connection_ready_to_authorize(page, visit) -> None:
    page.goto("/")
    wizard.open_card(page, "GitHub")
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="All Actions").check()
    wizard.press(page, "Next")
    wizard.press(page, "Create and Authorize")
    page.get_by_role("heading", name=re.compile("is not registered with GitHub")).wait_for()
    expect(page.get_by_text("A super admin of Studio can register it")).to_be_visible()
    redirect_uri = page.locator(".copyable code").inner_text()

    admin = visit(SUPER_ADMIN)
    admin.goto(page.url)
    admin.get_by_role("link", name="Register it in Administration").click()
    expect(admin.get_by_label("Connector:")).to_have_value("github")
    admin.get_by_label("client_id:").fill("client-of-the-tests")
    admin.get_by_label("client_secret:").fill("secret-of-the-tests")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("was added successfully")).to_be_visible()
    admin.get_by_role("row", name="GitHub").get_by_role("link").click()
    expect(admin.get_by_text(redirect_uri)).to_be_visible()
    assert "secret-of-the-tests" not in admin.content()

    page.get_by_role("link", name="Look again").click()
    expect(wizard.button(page, "Authorize")).to_be_visible()
    admin.get_by_role("link", name="Delete").click()
    admin.get_by_role("button", name=re.compile("^Yes")).click()
    expect(admin.get_by_text("was deleted successfully")).to_be_visible()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        "/admin/applications/application/",
        "/admin/connections/oauthclient/",
        "/admin/connections/oauthclient/add/",
    ],
)
def test_the_pages_of_administration_obey_the_policy_of_the_console(visit, path) -> None:
    admin = visit(OPERATOR)
    assert admin.goto(path).ok
    expect(admin.get_by_role("link", name="Developer Console administration")).to_be_visible()
    assert sideways(admin) <= 0
