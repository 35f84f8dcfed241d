"""Administration: register an OAuth client, invite and remove people, security headers."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser import wizard
from tests.browser.conftest import OPERATOR, SUPER_ADMIN
from tests.browser.page_check import look_over, sideways
from tests.servers import ConsoleDemo

pytestmark = pytest.mark.browser
NEWCOMER = "newcomer@studio.example"


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
    admin.get_by_role("link", name="Register a client").click()
    admin.get_by_role("heading", name="Register a client for GitHub", level=1).wait_for()
    expect(admin.locator("#redirect-uri")).to_have_text(redirect_uri)
    look_over(admin, "registration of an OAuth client")
    admin.get_by_label("Client ID").fill("client-of-the-tests")
    admin.get_by_label("Client secret").fill("secret-of-the-tests")
    wizard.press(admin, "Save")
    expect(admin.get_by_role("heading", name="GitHub: Main", level=1)).to_be_visible()
    assert "secret-of-the-tests" not in admin.content()
    look_over(admin, "an OAuth client")

    page.get_by_role("link", name="Look again").click()
    expect(wizard.button(page, "Authorize")).to_be_visible()
    admin.get_by_role("link", name="Delete this client").click()
    wizard.press(admin, "Delete this client")
    expect(admin.get_by_text("The OAuth client Main was deleted")).to_be_visible()


def test_a_person_is_invited_deactivated_and_removed(visit, console, faults) -> None:
    faults.expected_statuses.add(403)
    admin, newcomer = visit(SUPER_ADMIN), visit()
    admin.goto("/admin/inviting/invitation/add/")
    admin.get_by_label("E-mail address:").fill(NEWCOMER)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_role("row", name=NEWCOMER)).to_contain_text("Waiting")

    newcomer.goto(_link(console))
    expect(newcomer.get_by_role("heading", name="Invitation to Studio")).to_be_visible()
    look_over(newcomer, "invitation")
    newcomer.get_by_label("Password").fill("a-long-enough-word")
    newcomer.get_by_role("button", name="Accept the invitation").click()
    expect(newcomer.get_by_text("You are now developer of Studio")).to_be_visible()

    admin.goto("/admin/accounts/membership/")
    admin.get_by_role("link", name=NEWCOMER).click()
    admin.get_by_role("link", name="Deactivate…").click()
    expect(admin.get_by_text("They have authorized nothing that Studio uses")).to_be_visible()
    assert sideways(admin) <= 0
    admin.get_by_role("button", name=f"Deactivate {NEWCOMER}").click()
    expect(admin.get_by_role("row", name=NEWCOMER)).to_contain_text("Deactivated")

    assert newcomer.goto("/microservices/").status == 403
    newcomer.goto("/")
    expect(newcomer.get_by_text("You cannot use Studio since")).to_be_visible()

    admin.get_by_role("link", name=NEWCOMER).click()
    admin.get_by_role("link", name="Remove…").click()
    admin.get_by_role("button", name=f"Remove {NEWCOMER}").click()
    expect(admin.get_by_role("row", name=NEWCOMER)).to_have_count(0)


def _link(console: ConsoleDemo) -> str:
    """Wait for the mail, which the demo writes to its log, and return its link."""
    log = console.folder / "logs" / "console.log"
    for _ in range(100):
        if links := re.findall(r"/invitations/[\w-]{43}/", log.read_text()):
            return links[-1]
        time.sleep(0.1)
    pytest.fail("No invitation was sent.")


@pytest.mark.parametrize(
    "path",
    [
        "/admin/accounts/membership/",
        "/admin/accounts/organization/",
        "/admin/inviting/invitation/",
        "/admin/inviting/invitation/add/",
        "/admin/",
        "/admin/accounts/user/",
        "/admin/accounts/user/add/",
        "/admin/applications/application/",
        "/admin/connections/oauthclient/",
        "/admin/connections/oauthclient/add/",
    ],
)
def test_administration_obeys_the_content_security_policy(visit, path) -> None:
    admin = visit(OPERATOR)
    assert admin.goto(path).ok
    expect(admin.get_by_role("link", name="Administration", exact=True)).to_be_visible()
    assert sideways(admin) <= 0
