import pytest
from playwright.sync_api import expect

from tests.browser import wizard

pytestmark = pytest.mark.browser


def shot(page, name):
    for w, h in ((360, 780), (1440, 900)):
        page.set_viewport_size({"width": w, "height": h})
        for s in ("light", "dark"):
            page.emulate_media(color_scheme=s, reduced_motion="reduce")
            page.wait_for_timeout(150)
            page.screenshot(path=f"/tmp/shots/{name}-{w}-{s}.png", animations="disabled")
    page.emulate_media(color_scheme="light")


def test_shots(page, console):
    page.goto("/microservices/new/")
    wizard.press(page, "Sandbox")
    page.get_by_label("Connection Name").wait_for()
    shot(page, "name")
    wizard.press(page, "Create and Authorize")
    page.get_by_text("It asks for 5").wait_for()
    page.wait_for_timeout(500)
    shot(page, "authorize")
    with page.expect_popup() as opened:
        wizard.press(page, "Authorize")
    popup = opened.value
    popup.get_by_label("User name").wait_for()
    page.get_by_text("Continue in the other window").wait_for()
    shot(page, "waiting")
    popup.close()
    page.get_by_text("The window was closed").wait_for()
    shot(page, "closed")
    with page.expect_popup() as opened:
        wizard.press(page, "Open again")
    popup = opened.value
    wizard.sign_in_at_sandbox(popup, console.password)
    with popup.expect_event("close"):
        wizard.button(popup, "Allow").click(no_wait_after=True)
    expect(wizard.by_alice(page)).to_be_visible(timeout=5000)
    shot(page, "authorized")
    page.get_by_role("link", name="Open connection").click()
    page.get_by_role("link", name="Call it from a program").wait_for()
    shot(page, "details")
    page.get_by_label("Connection Name").fill("Typed")
    page.context.clear_cookies(name="console")
    wizard.press(page, "Rename")
    page.get_by_label("E-mail address").wait_for()
    shot(page, "signin")
    page.get_by_label("E-mail address").fill("developer@studio.example")
    page.get_by_label("Password").fill(console.password)
    wizard.press(page, "Sign in")
    page.get_by_text("is in the form again").wait_for()
    shot(page, "restored")
    page.goto("/microservices/new/")
    wizard.press(page, "Sandbox")
    page.get_by_label("Connection Name").fill("Typed two")
    page.context.clear_cookies(name="console")
    wizard.press(page, "Next")
    page.get_by_label("E-mail address").fill("developer@studio.example")
    page.get_by_label("Password").fill(console.password)
    wizard.press(page, "Sign in")
    page.get_by_text("is in the form again").wait_for()
    shot(page, "restored-dialog")
