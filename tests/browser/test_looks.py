"""Every page, narrow and wide, light and dark, passes axe and fits the window."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser import wizard
from tests.browser.conftest import CLIENT, DEVELOPER, SUPER_ADMIN
from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser


def test_signing_in(visit, console) -> None:
    page = visit()
    page.goto("/")
    look_over(page, "sign in")
    page.get_by_label("E-mail address").fill(DEVELOPER)
    page.get_by_label("Password").fill("not the password")
    wizard.press(page, "Sign in")
    page.get_by_role("alert").wait_for()
    look_over(page, "sign in, refused")


def test_empty_pages(visit) -> None:
    page = visit(CLIENT)
    for path, name in (
        ("/", "home"),
        ("/microservices/", "list"),
        ("/microservices/?q=nothing", "list, no result"),
        ("/microservices/new/?q=nothing-like-that", "gallery, no result"),
        ("/apps/", "applications"),
    ):
        page.goto(path)
        look_over(page, f"{name}, empty")


def test_the_story_of_oauth_2(page, console) -> None:
    def look(seen, name: str) -> None:
        if not name.startswith("sandbox"):  # pages of the sandbox service
            look_over(seen, name)

    page.goto("/")
    wizard.open_card(page, "Sandbox", look=look)
    wizard.answer(page, permissions=True, separate=True, look=look)
    wizard.authorize_in_popup(page, console.password, look=look)
    look_over(page, "details, one environment authorized")
    wizard.press(page, "Test Development")
    page.get_by_text("It works").wait_for()
    look_over(page, "details, tested")
    details = page.url
    page.get_by_role("link", name="Revoke Development").click()
    look_over(page, "revoke")
    wizard.press(page, "Revoke")
    page.get_by_text("is no longer authorized").wait_for()
    look_over(page, "details, revoked")
    for path, name in (
        ("/", "home"),
        ("/microservices/", "list"),
        ("/microservices/?q=sandbox", "list, filtered"),
        ("/apps/field_service/", "application"),
        (f"{details}delete/", "delete"),
    ):
        page.goto(path)
        look_over(page, f"{name}, with rows")


def test_errors_in_the_wizard(page) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    page.get_by_label("Connection Name").fill("Not \u200ballowed")
    wizard.press(page, "Next")
    page.get_by_role("alert").wait_for()
    look_over(page, "name, refused")
    page.get_by_label("Connection Name").fill("x" * 50)
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="All Actions").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("alert").wait_for()
    look_over(page, "permissions, none chosen")
    page.goto("/microservices/")
    look_over(page, "list, with a draft and a long name")


def test_a_long_list_of_permissions(page) -> None:
    page.goto("/")
    wizard.open_card(page, "Zoho CRM")
    look_over(page, "name, with parameters")
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="All Actions").wait_for()
    look_over(page, "permissions, many")
    page.get_by_label("Search permissions").fill("leads read")
    expect(page.get_by_role("checkbox", name="Read Leads", exact=True)).to_be_visible()
    look_over(page, "permissions, searched")


def test_typed_credentials(page, console) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox Basic")
    wizard.answer(page)
    look_over(page, "credentials")
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("wrong")
    wizard.press(page, "Authorize")
    page.get_by_role("alert").wait_for()
    look_over(page, "credentials, refused")
    wizard.type_credentials(page, console.password, "Sandbox Basic")
    wizard.open_card(page, "Sandbox Basic")
    wizard.answer(page)
    expect(wizard.button(page, "Reuse this account")).to_be_visible()
    look_over(page, "credentials, with an account to reuse")


def test_a_flow_that_failed(page, console, faults) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    wizard.answer(page, permissions=True)
    with page.expect_popup() as opened:
        wizard.press(page, "Authorize")
    popup = opened.value
    wizard.sign_in_at_sandbox(popup, console.password)
    wizard.press(popup, "Deny")
    popup.get_by_text("Not authorized").wait_for()
    look_over(popup, "result, denied")
    page.get_by_text("Not authorized").wait_for()
    look_over(page, "authorize, denied")
    faults.expected_statuses |= {400, 404}
    page.goto("/oauth/callback/sandbox/?state=forged&code=any")
    expect(page.get_by_role("heading", name="Nothing was authorized")).to_be_visible()
    look_over(page, "callback, refused")
    page.goto("/connections/00000000-0000-4000-8000-000000000000/")
    look_over(page, "not found")


@pytest.mark.parametrize("email", [DEVELOPER, SUPER_ADMIN])
def test_a_service_without_an_oauth_client(page, visit, email) -> None:
    page.goto("/")
    wizard.open_card(page, "HubSpot")
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="All Actions").check()
    wizard.press(page, "Next")
    wizard.press(page, "Create and Authorize")
    page.get_by_role("heading", name=re.compile("is not registered")).wait_for()
    seen = visit(email)
    seen.goto(page.url)
    look_over(seen, "not registered")
