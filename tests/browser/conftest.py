"""A real browser, and the console as ``make run`` starts it, on the tested database."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.servers import ConsoleDemo, console_demo, set_up_demo, unavailable
from tests.setup import find_chromium

DEVELOPER = "developer@studio.example"
SUPER_ADMIN = "superadmin@studio.example"
#: There is no application in their organization.
CLIENT = "superadmin@client.example"
OPERATOR = "operator@console.example"
#: Generous, because a busy machine must not fail a test.
PATIENCE_MS = 15_000
_NUMBERS = count()
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def set_up(tmp_path_factory) -> Path:
    """Set up a demo without starting it, once for all workers of xdist."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / "demo-set-up", shared / "demo-is-set-up"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            set_up_demo(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def console(set_up, tmp_path_factory) -> Iterator[ConsoleDemo]:
    with new_console(set_up, tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@pytest.fixture(scope="module")
def own_console(set_up, tmp_path_factory) -> Iterator[ConsoleDemo]:
    """Run a console for one test file, without changes by other files."""
    with new_console(set_up, tmp_path_factory.mktemp("demo")) as demo:
        yield demo


@contextmanager
def new_console(set_up: Path, folder: Path) -> Iterator[ConsoleDemo]:
    """Run a new console from a copy of the prepared demo."""
    shutil.copytree(set_up, folder, dirs_exist_ok=True)
    with _database() as database_url, console_demo(folder, database_url) as demo:
        yield demo


@contextmanager
def _database() -> Iterator[str | None]:
    """Create a database for the demo if the tests run on PostgreSQL."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield None
        return
    name = f"demo_{os.getpid()}_{next(_NUMBERS)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium for the tests of one file.

    Playwright runs an event loop, and Django then opens another database connection for the same
    thread. So no test that uses rows may run at the same time.
    """
    chromium = find_chromium()
    if not chromium:
        unavailable("There is no Chromium here, and it could not be installed (tests/setup.py).")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Faults:
    """Errors in the browser's console, on all pages of a test."""

    found: list[str] = field(default_factory=list)
    #: Intended error responses are reported too.
    expected_statuses: set[int] = field(default_factory=lambda: {422})

    def watch(self, context: BrowserContext) -> None:
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.found.append(f"{error.page.url}: {error.error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        status = re.search(r"responded with a status of (\d+)", message.text)
        if message.type != "error" or (status and int(status[1]) in self.expected_statuses):
            return
        self.found.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def faults() -> Iterator[Faults]:
    """Fail the test on any error in the browser's console."""
    faults = Faults()
    yield faults
    assert faults.found == []


Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def sessions(browser, console) -> Callable[[str], Any]:
    """Sign each person in once and keep the cookies."""
    known: dict[str, Any] = {}

    def session(email: str) -> Any:
        if email not in known:
            context = browser.new_context(base_url=console.url)
            page = context.new_page()
            page.goto("/")
            page.get_by_label("E-mail address").fill(email)
            page.get_by_label("Password").fill(console.password)
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("heading", name="Home").wait_for()
            known[email] = context.storage_state()
            context.close()
        return known[email]

    return session


@pytest.fixture
def visit(browser, console, sessions, faults) -> Iterator[Visit]:
    """Return a function that opens a page for a person, in a separate browser profile."""
    opened: list[BrowserContext] = []

    def open_page(email: str = "", *, scripts: bool = True, **options: Any) -> Page:
        context = browser.new_context(
            **{"base_url": console.url, "viewport": {"width": 1440, "height": 900}} | options,
            storage_state=sessions(email) if email else None,
            java_script_enabled=scripts,
        )
        context.set_default_timeout(PATIENCE_MS)
        faults.watch(context)
        opened.append(context)
        return context.new_page()

    yield open_page
    for context in opened:
        context.close()


@pytest.fixture
def page(visit, console) -> Page:
    """Open a page for the developer, without connections of earlier tests."""
    page = visit(DEVELOPER)
    _remove_connections(page)
    page.context.request.delete(f"{console.sandbox_url}/switches.json")
    return page


def _remove_connections(page: Page) -> None:
    """Delete connections of earlier tests with the console's own forms, without a browser page.

    The connections of the demo's application stay: its components reference them.
    """
    request = page.context.request
    kept: set[str] = set()
    while paths := _connections(page) - kept:
        for path in paths:
            draft = "/setup/" in request.get(path).url
            verb = f"{path}{'discard' if draft else 'delete'}/"
            form = _text(page, f"{path}setup/name/" if draft else path)
            token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
            assert token, f"{path} has no form"
            answer = request.post(verb, form={"csrfmiddlewaretoken": token[1]})
            assert answer.ok or answer.status == 409, answer.text()
            if not answer.ok:
                kept.add(path)


def _connections(page: Page) -> set[str]:
    return set(re.findall(r'"(/connections/[0-9a-f-]{36}/)', _text(page, "/microservices/")))


def _text(page: Page, path: str) -> str:
    answer = page.context.request.get(path)
    assert answer.ok, f"{path}: {answer.status}"
    return answer.text()
