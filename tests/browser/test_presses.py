"""How many presses, fields and keys the journeys of README.md need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import wizard
from tests.browser.conftest import DEVELOPER, new_console, own_console
from tests.browser.hands import Keyboard, Mouse
from tests.browser.readme_walk import MOST_FIELDS, MOST_PRESSES, PATIENCE_MS, Walk
from tests.servers import ConsoleDemo

pytestmark = pytest.mark.browser
console = own_console
MOST_KEYS = 25


def authorize_by_keyboard(page: Page, password: str, keys: Keyboard) -> None:
    """Create a connection to the sandbox and authorize it, from Home, without a mouse."""
    keys.skip_to_actions(page, page.get_by_role("link", name="+ Create New"))
    keys.press(wizard.button(page, "Sandbox"))
    page.get_by_label("Connection Name").wait_for()
    keys.press(wizard.button(page, "Create and Authorize"))
    with page.expect_popup() as opened:
        keys.press(wizard.button(page, "Authorize"))
    popup = opened.value
    keys.fill(popup.get_by_label("User name"), "alice")
    keys.fill(popup.get_by_label("Password"), password)
    keys.key(popup, "Enter")
    wizard.button(popup, "Allow").wait_for()
    with popup.expect_event("close"):
        keys.press(wizard.button(popup, "Allow"))
    expect(wizard.by_alice(page)).to_be_visible()


@pytest.fixture
def fresh_console(set_up, tmp_path_factory) -> Iterator[ConsoleDemo]:
    """Run a console as a new user finds it, without changes by another walk."""
    with new_console(set_up, tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.mark.slow("It is the whole walk of README.md, in eight steps and four accounts.")
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_walk_of_the_readme(fresh_console, browser, scripts):
    mouse = Mouse()
    with browser.new_context(java_script_enabled=scripts) as context:
        context.set_default_timeout(PATIENCE_MS)
        Walk(context.new_page(), fresh_console, mouse, scripts=scripts).all_steps()
    told = f"{mouse.presses} presses, {mouse.fields} fields"
    print(told, f"{mouse.seconds:.0f} s")
    assert mouse.presses <= MOST_PRESSES, "\n".join([told, *mouse.story])
    assert mouse.fields <= MOST_FIELDS, "\n".join([told, *mouse.story])


def test_a_connection_by_keyboard(visit, console):
    page = visit(DEVELOPER)
    page.goto("/")
    keys = Keyboard()
    authorize_by_keyboard(page, console.password, keys)
    assert keys.presses <= MOST_KEYS, "\n".join(keys.story)
