"""On a phone, the name of a section is shown in full beside the button of its page."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SUPER_ADMIN

pytestmark = pytest.mark.browser
#: How many pixels of the name are covered or cut off.
HIDDEN = """() => {
  const name = document.querySelector(".crumbs li");
  const text = document.createRange();
  text.selectNodeContents(name);
  const end = text.getBoundingClientRect().right;
  return end - document.querySelector(".crumbs").getBoundingClientRect().right;
}"""


def test_no_button_covers_the_name_of_a_section(visit) -> None:
    page = visit(SUPER_ADMIN)
    page.set_viewport_size({"width": 360, "height": 780})
    for path in ("/oauth-clients/", "/microservices/", "/apps/", "/people/"):
        page.goto(path)
        assert page.evaluate(HIDDEN) < 1, path
