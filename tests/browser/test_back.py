"""*Back* after signing out, in a browser with a back/forward cache."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, DEVELOPER, find_chromium

pytestmark = pytest.mark.browser
#: Playwright's default argument that disables the back/forward cache.
LEFT_OUT = ["--disable-back-forward-cache"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Run Chromium with its back/forward cache enabled."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=ARGUMENTS, ignore_default_args=LEFT_OUT
        )
        yield browser
        browser.close()


def go_back(page: Page) -> None:
    # A page from the cache does not load again, and Playwright would wait for that.
    with page.expect_event("framenavigated"):
        page.evaluate("() => { setTimeout(() => history.back(), 0) }")


def mark(page: Page) -> None:
    """Mark the page object, to recognize it after *Back*."""
    page.evaluate("() => { window.mark = 'the same page' }")


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("() => window.mark === 'the same page'"))


def test_it_shows_no_page_of_the_signed_out_person(visit) -> None:
    page = visit(DEVELOPER)
    page.goto("/activity/")
    heading = page.get_by_role("heading", name="Activity", level=1)
    heading.wait_for()
    mark(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()

    go_back(page)

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(heading).not_to_be_visible()
    assert not is_marked(page)


def test_this_browser_caches_pages_that_allow_it(visit) -> None:
    """Otherwise the test above would prove nothing."""
    page = visit()
    # With its own icon: Playwright refuses a request for /favicon.ico before any route.
    body = '<link rel="icon" href="data:,"><p>kept</p>'
    page.route(
        "http://kept.localhost/**",
        lambda route: route.fulfill(status=200, content_type="text/html", body=body),
    )
    page.goto("http://kept.localhost/one")
    mark(page)
    page.goto("http://kept.localhost/two")

    go_back(page)

    assert page.url.endswith("/one")
    assert is_marked(page)
