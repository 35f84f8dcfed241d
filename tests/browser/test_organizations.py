"""A person in two organizations switches between them, narrow and wide."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import wizard
from tests.browser.conftest import OPERATOR
from tests.browser.page_check import look_over

pytestmark = pytest.mark.browser

EMAIL = "both@console.example"


@pytest.fixture(scope="module")
def member_of_both(browser, console, sessions) -> str:
    """As operator, create a person: super admin of Client, developer of Studio."""
    context = browser.new_context(base_url=console.url, storage_state=sessions(OPERATOR))
    listed = context.request.get("/admin/accounts/organization/").text()
    keys = {
        name: key
        for key, name in re.findall(r"/organization/([0-9a-f-]{36})/change/[^>]*>(\w+)<", listed)
    }
    form = context.request.get("/admin/accounts/user/add/").text()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token
    answer = context.request.post(
        "/admin/accounts/user/add/",
        form={
            "csrfmiddlewaretoken": token[1],
            "email": EMAIL,
            "usable_password": "true",
            "password1": console.password,
            "password2": console.password,
            "memberships-TOTAL_FORMS": "2",
            "memberships-INITIAL_FORMS": "0",
            "memberships-0-organization": keys["Client"],
            "memberships-0-role": "super_admin",
            "memberships-1-organization": keys["Studio"],
            "memberships-1-role": "developer",
        },
        headers={"Referer": f"{console.url}/admin/"},
    )
    assert "was added successfully" in answer.text()
    context.close()
    return EMAIL


@pytest.fixture
def page(visit, member_of_both) -> Page:
    page = visit(member_of_both)
    page.goto("/")
    return page


def sidebar(page: Page) -> Locator:
    return page.get_by_role("navigation", name="Main")


def open_sidebar(page: Page) -> None:
    """Open the drawer if the window is too narrow for the sidebar."""
    if page.get_by_role("button", name="Menu").is_visible():
        page.get_by_role("button", name="Menu").click()


def change_to(page: Page, name: str) -> None:
    open_sidebar(page)
    sidebar(page).locator("summary").click()
    sidebar(page).get_by_role("link", name=name, exact=True).click()
    expect(page).to_have_url(re.compile(f"/o/{name.lower()}/$"))


@pytest.mark.parametrize("width", [360, 900, 1440])
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
def test_the_sidebar_belongs_to_the_organization(visit, member_of_both, width, scripts) -> None:
    page = visit(member_of_both, scripts=scripts, viewport={"width": width, "height": 800})
    page.goto("/o/client/")
    change_to(page, "Studio")
    open_sidebar(page)
    expect(sidebar(page).locator("summary")).to_contain_text("Studio")
    expect(sidebar(page).get_by_role("link", name="Administration")).to_have_count(0)
    sidebar(page).get_by_role("link", name="Applications").click()
    expect(page).to_have_url(re.compile(r"/o/studio/apps/$"))
    expect(page.get_by_role("main").get_by_role("link", name="Field Service")).to_be_visible()
    change_to(page, "Client")
    open_sidebar(page)
    expect(sidebar(page).get_by_role("link", name="Administration")).to_have_count(1)
    page.goto("/apps/")
    expect(page).to_have_url(re.compile(r"/o/client/apps/$"))
    expect(page.get_by_text("There is no application yet")).to_be_visible()


def test_the_list_of_organizations_looks_right(page) -> None:
    change_to(page, "Studio")
    sidebar(page).locator("summary").click()
    active = sidebar(page).get_by_role("link", name="Studio", exact=True)
    expect(active).to_have_attribute("aria-current", "true")
    look_over(page, "organizations, open")
    page.set_viewport_size({"width": 360, "height": 780})
    page.get_by_role("button", name="Menu").click()
    expect(active).to_be_visible()
    look_over(page, "organizations, in the drawer")


def test_the_wizard_and_its_window_stay_in_the_organization(page, console) -> None:
    page.goto("/o/studio/")
    wizard.open_card(page, "Sandbox")
    wizard.answer(page, permissions=True)
    expect(page).to_have_url(re.compile("/o/studio/connections/"))
    wizard.authorize_in_popup(page, console.password)
    expect(page).to_have_url(re.compile("/o/studio/connections/"))
    page.get_by_role("link", name="Delete this connection").click()
    wizard.press(page, "Delete this connection")
    expect(page).to_have_url(re.compile("/o/studio/microservices/$"))
