"""Uninstall an application."""

from __future__ import annotations

from django.urls import reverse

from console.publishing.models import Installation
from tests.distribution.page_text import text


def test_it_asks_for_the_password_and_shows_what_is_revoked(
    installed, client, boss, signed_in, crm, authorized
):
    place = reverse("installation_uninstall", args=[installed().pk])
    authorized(crm, boss)
    client.force_login(boss)  # long ago
    assert client.get(place).status_code == 302
    client.post(place)
    assert Installation.objects.exists()
    browser = signed_in(boss)
    assert "CRM at Sandbox" in text(browser.get(place))
    answer = text(browser.post(place, follow=True))
    assert "Field Service was uninstalled" in answer
    assert "erased here" in answer
    assert browser.get(place).status_code == 404
