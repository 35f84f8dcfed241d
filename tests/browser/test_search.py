"""Search while typing, and the next click."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

#: Longer than the delay of the search and its response.
SLOWLY_MS = 800


def test_a_slow_click_on_a_found_card_opens_it(page) -> None:
    page.goto("/microservices/new/")
    page.get_by_label("Search", exact=True).press_sequentially("GitHub")
    card = page.get_by_role("button", name="GitHub", exact=True)
    card.wait_for()
    page.wait_for_timeout(SLOWLY_MS)
    card.hover()
    page.mouse.down()  # the search field loses focus, which must not search again
    page.wait_for_timeout(SLOWLY_MS)
    page.mouse.up()
    page.get_by_label("Connection Name").wait_for()


def test_choosing_a_category_shows_only_its_connectors(page) -> None:
    page.goto("/microservices/new/")
    page.get_by_label("Category", exact=True).select_option("Payments and accounting")
    page.get_by_role("button", name="Stripe", exact=True).wait_for()
    expect(page.get_by_role("button", name="GitHub", exact=True)).to_have_count(0)
