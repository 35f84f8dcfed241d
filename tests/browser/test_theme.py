"""The chosen theme applies to every page; forms of Administration keep what was typed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SUPER_ADMIN
from tests.browser.test_ended_session import NOT_SAVED, RESTORED, end_session, sign_in

pytestmark = pytest.mark.browser
BACKGROUND = "getComputedStyle(document.body).backgroundColor"


def test_the_theme_of_the_console_applies(visit) -> None:
    admin = visit(SUPER_ADMIN)
    admin.goto("/")
    admin.get_by_role("radio", name="Dark").check(force=True)
    admin.goto("/admin/")
    assert admin.evaluate(BACKGROUND) == "rgb(23, 23, 23)"
    admin.get_by_role("radio", name="Light").check(force=True)
    assert admin.evaluate(BACKGROUND) == "rgb(255, 255, 255)"
    admin.goto("/")
    expect(admin.get_by_role("radio", name="Light")).to_be_checked()


def test_a_choice_applies_whatever_the_system_prefers(visit) -> None:
    page = visit(SUPER_ADMIN)
    for system, choice, background in (
        ("light", "Dark", "rgb(23, 23, 23)"),
        ("dark", "Light", "rgb(255, 255, 255)"),
    ):
        page.emulate_media(color_scheme=system)
        page.goto("/")
        page.get_by_role("radio", name=choice).check(force=True)
        assert page.evaluate(BACKGROUND) == background
        page.reload()
        assert page.evaluate(BACKGROUND) == background


def test_a_form_of_administration_gets_its_text_back(visit, console) -> None:
    admin = visit(SUPER_ADMIN)
    admin.goto("/admin/inviting/invitation/add/")
    admin.get_by_label("E-mail address:").fill("typed@studio.example")
    admin.get_by_label("Role:").select_option("admin")
    end_session(admin)
    admin.get_by_role("button", name="Save", exact=True).click()
    sign_in(admin, console, SUPER_ADMIN)
    expect(admin.get_by_text(NOT_SAVED)).to_contain_text(RESTORED)
    expect(admin.get_by_label("E-mail address:")).to_have_value("typed@studio.example")
    expect(admin.get_by_label("Role:")).to_have_value("admin")
