"""Times are shown in the reader's time zone, also in charts and in Activity."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DEVELOPER

pytestmark = pytest.mark.browser


def test_an_event_is_shown_in_the_time_zone_of_the_reader(visit) -> None:
    page = visit(DEVELOPER, timezone_id="Asia/Tokyo", locale="en-US")
    page.goto("/activity/")
    page.locator("details.event summary").first.click()
    time = page.locator("details.event[open] time[data-style=exact]")
    expect(time).to_contain_text("GMT+9")
    assert page.locator("details.event time:not([data-style])").first.get_attribute("title")


def test_without_scripts_times_are_in_utc(visit) -> None:
    page = visit(DEVELOPER, scripts=False)
    page.goto("/activity/")
    page.locator("details.event summary").first.click()
    expect(page.locator("details.event[open] time[data-style=exact]")).to_contain_text("UTC")
