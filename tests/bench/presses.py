"""Count presses, fields, keys and seconds of the journeys of README.md in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.bench.figures import Figure
from tests.browser.conftest import ARGUMENTS, DEVELOPER
from tests.browser.hands import Hands, Keyboard, Mouse
from tests.browser.readme_walk import MOST_FIELDS, MOST_PRESSES, Walk
from tests.browser.test_presses import MOST_KEYS, authorize_by_keyboard
from tests.servers import ConsoleDemo, console_demo, set_up_demo
from tests.setup import find_chromium

PATIENCE_MS = 30_000


def measured(folder: Path) -> Iterator[Figure]:
    """Walk with scripts and without, each in a new demo; then authorize by keyboard."""
    for scripts in (True, False):
        name = "README walk" if scripts else "README walk without scripts"
        place = folder / ("scripts" if scripts else "plain")
        mouse = _walk(place, scripts=scripts)
        yield Figure(name=f"{name}: presses", value=mouse.presses, unit="", aim=MOST_PRESSES)
        yield Figure(name=f"{name}: fields", value=mouse.fields, unit="", aim=MOST_FIELDS)
        yield Figure(name=f"{name}: time of this machine", value=mouse.seconds, unit="s")
    keys = _keyboard(folder / "keyboard")
    name = "a connection by keyboard"
    yield Figure(name=f"{name}: keys", value=keys.presses, unit="", aim=MOST_KEYS)
    yield Figure(name=f"{name}: fields", value=keys.fields, unit="")
    yield Figure(name=f"{name}: time of this machine", value=keys.seconds, unit="s")


def _walk(folder: Path, *, scripts: bool) -> Hands:
    set_up_demo(folder)
    with console_demo(folder) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        context = browser.new_context(java_script_enabled=scripts)
        context.set_default_timeout(PATIENCE_MS)
        mouse = Mouse()
        Walk(context.new_page(), demo, mouse, scripts=scripts).all_steps()
        browser.close()
    return mouse


def _keyboard(folder: Path) -> Hands:
    set_up_demo(folder)
    with console_demo(folder) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=ARGUMENTS)
        page = _signed_in(browser, demo)
        keys = Keyboard()
        authorize_by_keyboard(page, demo.password, keys)
        browser.close()
    return keys


def _signed_in(browser: Browser, demo: ConsoleDemo) -> Page:
    page = browser.new_context(base_url=demo.url).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/")
    page.get_by_label("E-mail address").fill(DEVELOPER)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Home").wait_for()
    return page
