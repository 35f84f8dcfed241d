"""From a developer's release to people of a client, each with their own account."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import CLIENT, PATIENCE_MS, SUPER_ADMIN, own_console
from tests.browser.page_check import look_over
from tests.browser.pictures import keep_picture
from tests.browser.test_publishing import build, publish

pytestmark = pytest.mark.browser
CLIENT_USER = "user@client.example"
CLIENT_ADMIN = "admin@client.example"
console = own_console


def connect(page: Page, name: str, level: str) -> str:
    """Create a sandbox connection that can read contacts; return its link name."""
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    page.get_by_label("Connection Name").fill(name)
    wizard.press(page, "Next")
    page.get_by_role("radio", name=level).check()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="Read Contacts").check()
    wizard.press(page, "Next")
    wizard.press(page, "Create and Authorize")
    wizard.button(page, "Authorize").wait_for()
    return re.sub(r"\W+", "_", name.lower())


def to_stage(page: Page, *names: str) -> None:
    publish(page, *names)
    wizard.press(page, "Publish to Stage")
    page.get_by_text("is in Stage.").wait_for()


def mailed_link(folder: Path, pattern: str) -> str:
    """Return the latest link of this kind in the mails that the demo printed."""
    give_up = time.monotonic() + 10
    while True:
        links = re.findall(pattern, (folder / "logs" / "console.log").read_text())
        if links or time.monotonic() > give_up:
            return links[-1]
        time.sleep(0.1)


def make_a_client(page: Page, visit, console) -> None:
    """Invite the super admin of Client, who accepts with the link in the mail."""
    page.goto("/clients/")
    page.get_by_role("heading", name="Clients", level=1).wait_for()
    look_over(page, "clients")
    if page.get_by_role("heading", name="Client", exact=True, level=3).count():
        return
    page.get_by_label("E-mail address").fill(CLIENT)
    wizard.press(page, "Invite")
    page.get_by_text(CLIENT).first.wait_for()
    guest = visit(CLIENT)
    guest.goto(mailed_link(console.folder, r"http://\S+/invitations/\S+"))
    look_over(guest, "invitation")
    wizard.press(guest, "Accept the invitation")
    guest.get_by_text("is a client of Studio now").wait_for()


def open_installed(page: Page) -> None:
    page.goto("/installed/")
    page.get_by_role("link", name="Field Service", exact=True).click()
    page.get_by_role("heading", name="Field Service", level=1).wait_for()


def run_installed(page: Page, name: str) -> None:
    open_installed(page)
    page.get_by_role("link", name=f"Run {name}", exact=True).click()
    wizard.press(page, "Run")
    page.locator("#run-result").wait_for()


def expect_result(page: Page, words: str) -> None:
    expect(page.locator("#run-result")).to_contain_text(words, timeout=PATIENCE_MS)


def authorize(page: Page, name: str, password: str, who: str, verb: str = "Authorize") -> None:
    page.get_by_role("link", name=f"{verb} {name}", exact=True).click()
    look_over(page, "installed-authorize")
    wizard.authorize_in_popup(page, password, who=who, returns=True)
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("heading", name=name, level=1).wait_for()
    look_over(page, "installed-connection")


def test_each_person_of_a_client_uses_their_own_account(page, visit, console) -> None:
    # A developer publishes functions with an Administrator and a Logged-in User connection.
    office = connect(page, "Story office", "Administrator")
    mine = connect(page, "Story mine", "Logged-in User")
    build(page, "Story whose office", office, path="/me")
    build(page, "Story who am I", mine, path="/me")
    to_stage(page, "Story whose office", "Story who am I")

    # A super admin invites Client as a client, and shares the release.
    super_admin = visit(SUPER_ADMIN)
    make_a_client(super_admin, visit, console)
    super_admin.goto("/clients/")
    super_admin.get_by_role("link", name="Share Field Service with Client").click()
    super_admin.get_by_role("heading", name="Share Field Service").wait_for()
    look_over(super_admin, "share")
    wizard.press(super_admin, "Share")
    super_admin.get_by_role("heading", name=re.compile("Field Service"), level=1).wait_for()
    share = super_admin.url
    look_over(super_admin, "shared")

    # The super admin of Client sees the requirements, installs, and authorizes for everyone.
    chief = visit(CLIENT)
    chief.goto("/installed/")
    look_over(chief, "installed-none")
    chief.get_by_role("link", name="Install Field Service").click()
    chief.get_by_role("heading", name="Connections and permissions").wait_for()
    expect(chief.get_by_role("main")).to_contain_text("Story mine")
    keep_picture(chief, "install")
    look_over(chief, "install")
    wizard.press(chief, "Install")
    chief.get_by_role("heading", name="Connections").wait_for()
    keep_picture(chief, "installed")
    look_over(chief, "installation")
    authorize(chief, "Story office", console.password, "alice")

    # A user authorizes their own account and cannot see the other one. Each call names its account.
    user = visit(CLIENT_USER)
    open_installed(user)
    assert "Story office" not in user.get_by_role("main").inner_text()
    user.get_by_role("link", name="My connections").click()
    look_over(user, "my-connections")
    authorize(user, "Story mine", console.password, "bob")
    run_installed(user, "Story who am I")
    expect_result(user, "bob@example.com")
    keep_picture(user, "installed-run")
    look_over(user, "installed-run")
    run_installed(user, "Story whose office")
    expect_result(user, "It worked")
    admin = visit(CLIENT_ADMIN)
    run_installed(admin, "Story whose office")
    expect_result(admin, "alice@example.com")
    run_installed(admin, "Story who am I")
    expect_result(admin, "Authorize Story mine")

    # The next release needs more scopes. Existing authorizations work until people consent.
    page.goto("/microservices/")
    page.get_by_role("link", name="Story mine").click()
    page.get_by_role("link", name="Change permissions").click()
    page.get_by_role("checkbox", name="Write Contacts").check()
    wizard.press(page, "Save permissions")
    page.get_by_text("The permissions of Story mine were changed.").wait_for()
    to_stage(page, "Story who am I")
    super_admin.goto(share)
    wizard.press(super_admin, "Release to Client")
    super_admin.get_by_role("status").first.wait_for()
    open_installed(chief)
    chief.get_by_role("link", name=re.compile("^Update to")).click()
    chief.get_by_role("heading", name="Connections and permissions").wait_for()
    expect(chief.get_by_role("main")).to_contain_text("New permissions")
    expect(chief.locator("ins")).to_contain_text("contacts.write")
    keep_picture(chief, "update")
    look_over(chief, "update")
    wizard.press(chief, "Update")
    chief.get_by_role("heading", name="Field Service", level=1).wait_for()
    run_installed(user, "Story who am I")
    expect_result(user, "bob@example.com")
    open_installed(user)
    expect(user.get_by_role("main")).to_contain_text("contacts.write")
    authorize(user, "Story mine", console.password, "bob", verb="Reauthorize")
    run_installed(user, "Story who am I")
    expect_result(user, "bob@example.com")
    open_installed(user)
    expect(user.get_by_role("main")).not_to_contain_text("contacts.write")

    # The same on a phone without scripts.
    phone = visit(CLIENT_USER, scripts=False, viewport={"width": 360, "height": 780})
    open_installed(phone)
    phone.get_by_role("link", name="My connections").click()
    phone.get_by_role("link", name="Story mine", exact=True).click()
    phone.get_by_role("link", name="Revoke", exact=True).click()
    wizard.press(phone, "Revoke")
    phone.get_by_role("link", name="Authorize", exact=True).click()
    with phone.expect_popup() as opened:
        wizard.press(phone, "Authorize")
    phone = opened.value
    wizard.sign_in_at_sandbox(phone, console.password, who="bob")
    wizard.press(phone, "Allow")
    phone.get_by_role("link", name="Open connection").click()
    expect(wizard.by("bob", phone)).to_be_visible()
    run_installed(phone, "Story who am I")
    expect_result(phone, "bob@example.com")
