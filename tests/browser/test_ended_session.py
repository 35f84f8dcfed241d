"""Forms whose session has ended: after signing in, the page says so and has the typed text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import DEVELOPER, SUPER_ADMIN
from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser

NOT_SAVED = "You were signed out, so the form was not saved. Check it and send it again."
RESTORED = "What you typed is in the form again."


def end_session(page: Page) -> None:
    page.context.clear_cookies(name="console")


def sign_in(page: Page, console, email: str = DEVELOPER) -> None:
    expect(page.get_by_text("Sign in to return to it")).to_be_visible()
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(console.password)
    wizard.press(page, "Sign in")


@pytest.fixture
def details(page) -> Page:
    """Open the page of a connection."""
    page.goto("/")
    wizard.open_card(page, "Sandbox Basic")
    wizard.answer(page)
    page.get_by_role("link", name="Later").click()
    page.get_by_role("heading", name="Authorization", exact=True).wait_for()
    return page


def test_a_form_gets_its_text_back(details, console) -> None:
    details.get_by_label("Connection Name").fill("Typed text")
    end_session(details)
    wizard.press(details, "Rename")
    sign_in(details, console)
    expect(details.get_by_text(NOT_SAVED)).to_contain_text(RESTORED)
    expect(details.get_by_label("Connection Name")).to_have_value("Typed text")
    look_over(details, "details, after signing in again")
    wizard.press(details, "Rename")
    expect(details.get_by_role("heading", name="Typed text", level=1)).to_be_visible()
    expect(details.get_by_text(RESTORED)).to_have_count(0)


def test_a_step_of_the_wizard_gets_its_answers_back(page, console) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    wizard.press(page, "Next")
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="Read Contacts").check()
    end_session(page)
    wizard.press(page, "Next")
    sign_in(page, console)
    expect(page.get_by_role("dialog").get_by_text(NOT_SAVED)).to_be_visible()
    expect(page.get_by_role("checkbox", name="Read Contacts")).to_be_checked()
    expect(page.get_by_text("1 of 4 permissions")).to_be_visible()
    look_over(page, "wizard, after signing in again")


def test_a_definition_gets_its_text_back(page, console) -> None:
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="All components").click()
    page.get_by_role("link", name="Add customer", exact=True).click()
    wizard.wait_until_ready(page)
    page.locator(".cm-content").wait_for()
    editor = page.get_by_role("textbox", name="Definition")
    editor.fill('{"typed": true}')
    end_session(page)
    wizard.press(page, "Save")
    sign_in(page, console)
    expect(page.get_by_text(NOT_SAVED)).to_contain_text(RESTORED)
    expect(editor).to_have_text('{"typed": true}')


def test_a_password_is_not_kept(page, console) -> None:
    page.goto("/")
    wizard.open_card(page, "Sandbox Basic")
    wizard.answer(page)
    page.get_by_label("User name").fill("alice")
    page.get_by_label("Password").fill("a secret")
    end_session(page)
    wizard.press(page, "Authorize")
    assert "a secret" not in page.evaluate("JSON.stringify(sessionStorage)")
    sign_in(page, console)
    expect(page.get_by_label("User name")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_have_value("")


def test_another_person_does_not_get_the_text(details, console) -> None:
    details.get_by_label("Connection Name").fill("Typed text")
    end_session(details)
    wizard.press(details, "Rename")
    sign_in(details, console, SUPER_ADMIN)
    expect(details.get_by_text(NOT_SAVED)).not_to_contain_text(RESTORED)
    expect(details.get_by_label("Connection Name")).to_have_value("Sandbox Basic Connection")
    assert "Typed text" not in details.evaluate("JSON.stringify(sessionStorage)")


def test_a_search_leads_to_the_sign_in_page(page) -> None:
    page.goto("/microservices/")
    wizard.wait_until_ready(page)
    end_session(page)
    page.get_by_role("main").get_by_role("searchbox").fill("x")
    page.wait_for_url("**/accounts/login/?next=/microservices/*")


def test_without_scripts_the_page_says_why(visit, details, console) -> None:
    plain = visit(DEVELOPER, scripts=False)
    plain.goto(details.url)
    end_session(plain)
    wizard.press(plain, "Rename")
    sign_in(plain, console)
    expect(plain.get_by_text(NOT_SAVED)).to_be_visible()
    expect(plain.get_by_label("Connection Name")).to_be_visible()


def test_ticks_that_htmx_sends_are_restored(page, console, faults) -> None:
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="Publish to Stage").click()
    wizard.wait_until_ready(page)
    first = page.get_by_role("main").get_by_role("checkbox").first
    was = first.is_checked()
    end_session(page)
    first.click()
    sign_in(page, console)
    expect(page.get_by_text(NOT_SAVED)).to_contain_text(RESTORED)
    expect(page.get_by_role("main").get_by_role("checkbox").first).to_be_checked(checked=not was)
    # htmx logs requests that were aborted because the page was left or another tick followed.
    faults.found[:] = [found for found in faults.found if "/htmx-2" not in found]
