"""From Stage to a client without scripts: every page passes axe and fits the window."""

from __future__ import annotations

import re

import pytest

from tests.browser import wizard
from tests.browser.conftest import CLIENT, DEVELOPER, OPERATOR, SUPER_ADMIN, own_console
from tests.browser.page_check import look_over, sideways
from tests.distribution.test_pictures import png

pytestmark = pytest.mark.browser
console = own_console

USER = "user@client.example"


def publish(page, *ticked: str) -> None:
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="Publish to Stage").click()
    page.goto(f"{page.url}?{'&'.join(f'tick={name}' for name in ticked)}")
    page.get_by_role("button", name=re.compile("^Publish")).last.click()
    page.get_by_role("heading", name=re.compile("^Release")).wait_for()


def test_from_stage_to_a_client(visit) -> None:
    developer = visit(DEVELOPER)
    publish(developer, "find_customers")
    studio = visit(SUPER_ADMIN)
    studio.goto("/clients/")
    studio.get_by_label("E-mail address").fill("somebody@partner.example")
    wizard.press(studio, "Invite")
    studio.get_by_role("heading", name="Open invitations").wait_for()
    look_over(studio, "clients")
    studio.get_by_role("link", name="Share Field Service with Client").click()
    look_over(studio, "share")
    wizard.press(studio, "Share")
    studio.get_by_text("Not installed yet").wait_for()
    look_over(studio, "share, made")

    studio.goto("/clients/")
    studio.get_by_role("link", name="Listing of Field Service").click()
    look_over(studio, "listing, new")
    studio.get_by_label("Title").fill("Field Service")
    studio.get_by_label("Summary").fill("The right person, with the right parts.")
    studio.get_by_label("Description").fill("For companies that send people.")
    studio.get_by_label("Help page").fill("https://studio.example/help")
    wizard.press(studio, "Save the draft")
    picture = {"name": "a.png", "mimeType": "image/png", "buffer": png(640, 400)}
    studio.get_by_label("Picture", exact=True).set_input_files(picture)
    studio.get_by_label("Description of the picture").fill("A plan of a town")
    wizard.press(studio, "Add picture")
    studio.get_by_alt_text("A plan of a town").wait_for()
    look_over(studio, "listing, with a picture")
    wizard.press(studio, "Submit for review")
    operator = visit(OPERATOR)
    operator.goto("/marketplace/")
    operator.get_by_role("link", name="Review 1 listing").click()
    look_over(operator, "reviews")
    operator.get_by_role("link", name="Field Service").click()
    look_over(operator, "review")
    wizard.press(operator, "Publish")
    operator.get_by_text("is now in the marketplace").wait_for()

    boss = visit(CLIENT, scripts=False)
    looker = visit(CLIENT)
    boss.goto("/installed/")
    for path, name in (("/marketplace/", "marketplace"), ("/installed/", "shared with you")):
        looker.goto(path)
        look_over(looker, name)
    looker.goto("/marketplace/")
    looker.get_by_role("link", name="Field Service").click()
    look_over(looker, "listing, for all")
    boss.get_by_role("link", name="Install Field Service").click()
    looker.goto(boss.url)
    look_over(looker, "install")
    wizard.press(boss, "Install")
    boss.get_by_text("is installed").wait_for()
    installed = boss.url
    assert sideways(boss) <= 0

    publish(developer, "whose_account", "list_our_numbers")
    studio.goto("/clients/")
    studio.get_by_role("link", name="Field Service", exact=True).click()
    look_over(studio, "share, with a newer release")
    wizard.press(studio, "Release to Client")
    for path, name in (
        ("/installed/", "installed, with an update"),
        (installed, "overview"),
        (f"{installed}update/", "update"),
        (f"{installed}my-connections/", "my connections"),
        (f"{installed}uninstall/", "uninstall"),
    ):
        looker.goto(path)
        look_over(looker, name)
    user = visit(USER)
    user.goto(installed)
    look_over(user, "overview, for a user")
    user.get_by_role("link", name="Run Find customers").click()
    user.get_by_role("textbox").first.fill("lumen")
    wizard.press(user, "Run")
    user.get_by_text("is not authorized for Client").first.wait_for()
    look_over(user, "a run that stopped")
