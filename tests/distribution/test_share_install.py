"""Install an application that was shared."""

from __future__ import annotations

from django.urls import reverse

from console.publishing.models import Installation
from tests.distribution.page_text import text


def test_it_shows_permissions_and_license_then_installs_once(share, signed_in, boss):
    row = share("trial_30")
    browser = signed_in(boss)
    assert "Shared with you" in text(browser.get(reverse("installation_list")))
    page = text(browser.get(reverse("share_install", args=[row.pk])))
    for words in (
        "Studio",
        "CRM",
        "for everyone",
        "Mailbox",
        "with their own account",
        "See your contacts",
        "contacts.read",
        "Trial, 30 days from the installation",
    ):
        assert words in page
    answer = browser.post(
        reverse("share_install", args=[row.pk]), {"seen": str(row.release_id)}, follow=True
    )
    assert "Field Service is installed" in text(answer)
    again = browser.post(
        reverse("share_install", args=[row.pk]), {"seen": str(row.release_id)}, follow=True
    )
    assert "already installed" in text(again)
    assert Installation.objects.count() == 1
