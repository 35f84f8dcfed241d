"""Build, publish and run: Stage contains exactly the selected changes."""

from __future__ import annotations

import json
import re
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser import wizard
from tests.browser.conftest import PATIENCE_MS, SUPER_ADMIN
from tests.browser.page_check import look_over
from tests.browser.pictures import keep_picture

pytestmark = pytest.mark.browser


def open_application(page: Page) -> None:
    page.goto("/apps/field_service/")
    page.get_by_role("heading", name="Field Service", level=1).wait_for()


def editor_of(page: Page) -> Locator:
    """Return the editor once it has replaced the textarea."""
    page.locator(".cm-content").wait_for()
    return page.get_by_role("textbox", name="Definition")


def build(page: Page, name: str, connection: str, path: str = "/contacts") -> str:
    """Create a function with one call in the editor and return its URL."""
    open_application(page)
    page.get_by_role("link", name="+ New component").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("radio", name="Function").check()
    wizard.press(page, "Create component")
    editor = editor_of(page)
    definition = {"calls": [{"connection": connection, "method": "GET", "path": path}]}
    editor.fill(json.dumps(definition, indent=2))
    wizard.press(page, "Save")
    page.get_by_text(f"{name} was saved.").wait_for()
    return page.url


def run(page: Page, address: str, environment: str) -> None:
    page.goto(address)
    editor_of(page)
    page.get_by_role("radio", name=environment).check()
    wizard.press(page, "Run")


def worked(page: Page, environment: str) -> None:
    """Wait for the result of a run; if it failed, show its message."""
    result = page.locator("#run-result")
    expect(result).to_contain_text(f"It worked in {environment}", timeout=PATIENCE_MS)


def connect(page: Page, name: str) -> str:
    """Create a sandbox connection that can read contacts; return its link name."""
    page.goto("/")
    wizard.open_card(page, "Sandbox")
    page.get_by_label("Connection Name").fill(name)
    wizard.press(page, "Next")
    page.get_by_role("radio", name="Administrator").wait_for()
    wizard.press(page, "Next")
    page.get_by_role("checkbox", name="Read Contacts").check()
    wizard.press(page, "Next")
    wizard.press(page, "Create and Authorize")
    return re.sub(r"\W+", "_", name.lower())


def publish(page: Page, *names: str) -> None:
    open_application(page)
    page.get_by_role("link", name="Publish to Stage").click()
    for name in names:
        page.get_by_label("Search components").fill(name)
        expect(page).to_have_url(re.compile(re.escape(f"q={quote_plus(name)}")))
        page.get_by_role("checkbox", name=name, exact=True).check()
        # The server selects dependencies and shows the pre-flight check.
        expect(page.locator("#summary")).to_contain_text(f"{names.index(name) + 1} component")


def in_stage(page: Page) -> str:
    return page.get_by_role("main").inner_text()


def test_the_steps_of_the_readme(page, console) -> None:
    open_application(page)
    look_over(page, "application")
    page.locator(".connection-list").get_by_role("link", name="Customers and orders").click()
    page.get_by_role("heading", name="Customers and orders", level=1).wait_for()
    if page.get_by_role("link", name="Authorize", exact=True).is_visible():
        page.get_by_role("link", name="Authorize", exact=True).click()
        wizard.authorize_in_popup(page, console.password)
    open_application(page)
    page.get_by_role("heading", name="Map").scroll_into_view_if_needed()
    page.locator("#map svg").first.wait_for()
    keep_picture(page, "application")
    page.get_by_role("link", name="All components").click()
    look_over(page, "components")
    page.get_by_role("searchbox", name="Search").fill("find customers")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Find customers").click()
    editor_of(page)
    page.get_by_label("Name, e-mail address or company").fill("lumen")
    wizard.press(page, "Run")
    worked(page, "Development")
    expect(page.locator("#run-result")).to_contain_text("Chiara Rossi")
    page.get_by_role("heading", name="Run").scroll_into_view_if_needed()
    keep_picture(page, "component")
    publish(page, "Find customers")
    page.get_by_role("heading", name="Pre-flight").scroll_into_view_if_needed()
    keep_picture(page, "publish")
    wizard.press(page, "Publish to Stage")
    page.get_by_text("is in Stage.").wait_for()
    keep_picture(page, "release")


def test_stage_contains_the_selected_changes_and_runs_them(page, console) -> None:
    people = connect(page, "Walk people")
    wizard.authorize_in_popup(page, console.password)
    people_details = page.url
    parts = connect(page, "Walk parts")
    wizard.authorize_in_popup(page, console.password)
    find = build(page, "Walk find", people)
    build(page, "Walk order", parts)

    # Both are published.
    publish(page, "Walk find", "Walk order")
    look_over(page, "publish")
    wizard.press(page, "Publish to Stage")
    page.get_by_text("is in Stage.").wait_for()
    look_over(page, "release")
    first = page.url
    assert "Walk people" in in_stage(page)
    assert "Walk parts" in in_stage(page)

    # Both connections need more scopes; only one function is published again.
    for name in ("Walk people", "Walk parts"):
        page.goto("/microservices/")
        page.get_by_role("link", name=name).click()
        page.get_by_role("link", name="Change permissions").click()
        page.get_by_role("checkbox", name="Write Contacts").check()
        wizard.press(page, "Save permissions")
        page.get_by_text(f"The permissions of {name} were changed.").wait_for()
    publish(page, "Walk find")
    preflight = page.get_by_role("listitem").filter(has_text="Missing in Stage: contacts.write")
    expect(preflight).to_have_count(1)
    page.get_by_text(re.compile("changed connections? (is|are) not included")).click()
    expect(
        page.get_by_text("Not included: it is published only together with Walk order.")
    ).to_be_visible()
    expect(page.get_by_role("checkbox", name="Walk parts")).to_be_disabled()
    expect(page.get_by_role("checkbox", name="Walk parts")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="Walk people")).to_be_checked()
    look_over(page, "publish, permission missing")
    wizard.press(page, "Publish to Stage")
    page.get_by_text("is in Stage.").wait_for()
    second = page.url
    held = page.get_by_role("listitem")
    expect(held.filter(has_text="Walk people").first).to_contain_text("contacts.write")
    expect(held.filter(has_text="Walk parts").first).not_to_contain_text("contacts.write")

    # The published functions run in Stage.
    run(page, find, "Stage")
    worked(page, "Stage")
    expect(page.get_by_text("200 OK")).to_be_visible()
    expect(page.locator("#run")).not_to_contain_text("Bearer ey")
    look_over(page, "run")

    # Rolling back creates a new release with the old content.
    page.goto(first)
    page.get_by_role("link", name="Roll back").click()
    look_over(page, "roll back")
    wizard.press(page, "Roll back")
    page.get_by_text("is in Stage, with the content of").wait_for()
    expect(held.filter(has_text="Walk people").last).not_to_contain_text("contacts.write")
    assert page.url not in (first, second)
    run(page, find, "Stage")
    worked(page, "Stage")

    # Two releases can be compared.
    page.goto(second)
    page.get_by_role("link", name=re.compile("with Release .*, which is in Stage")).click()
    expect(page.get_by_text("No longer asks for contacts.write.")).to_be_visible()
    page.get_by_text("What changed").first.click()
    expect(page.locator("del").first).to_be_visible()
    look_over(page, "compare")
    page.get_by_role("link", name="Releases").click()
    look_over(page, "releases")
    page.goto(people_details)
    expect(page.get_by_role("heading", name="References")).to_be_visible()
    expect(page.get_by_role("link", name="Walk find")).to_be_visible()


def test_errors_are_shown_at_their_lines(page) -> None:
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="+ New component").click()
    look_over(page, "new component")
    page.get_by_label("Name").fill("Walk mistake")
    wizard.press(page, "Create component")
    editor = editor_of(page)
    editor.fill('{\n "calls": [\n  {"connection": "parts_dsk", "path": "/contacts"}\n ]\n}')
    expect(page.locator("[data-editor-status]")).to_contain_text("Did you mean parts_desk")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    wizard.press(page, "Save")
    page.get_by_role("link", name=re.compile("Line 3")).wait_for()
    look_over(page, "component, with a fault")
    expect(page.locator("#id_definition")).to_have_value(re.compile("parts_dsk"))


def test_without_scripts_everything_can_be_published(visit) -> None:
    page = visit("developer@studio.example", scripts=False)
    page.goto("/apps/field_service/")
    page.get_by_role("link", name="Publish to Stage").click()
    page.locator("summary", has_text="Workflows").click()
    page.get_by_role("checkbox", name="Welcome a customer").check()
    wizard.press(page, "Update the selection")
    expect(page.get_by_role("checkbox", name="Add customer", exact=True)).to_be_disabled()
    expect(page.get_by_role("checkbox", name="Add customer", exact=True)).to_be_checked()
    wizard.press(page, "Publish to Stage")
    page.get_by_text("is in Stage.").wait_for()


def test_an_application_is_exported_and_imported(visit, tmp_path) -> None:
    page = visit(SUPER_ADMIN)
    page.goto("/apps/field_service/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    file = tmp_path / "field_service.json"
    download.value.save_as(file)
    page.goto("/apps/")
    page.get_by_role("link", name="Import").click()
    look_over(page, "import")
    page.get_by_label("File").set_input_files(file)
    wizard.press(page, "Preview")
    page.get_by_text("Office CRM_copy").first.wait_for()
    look_over(page, "import, before")
    wizard.press(page, "Import")
    page.get_by_role("heading", name="Field Service_copy", level=1).wait_for()
    look_over(page, "application, imported")
