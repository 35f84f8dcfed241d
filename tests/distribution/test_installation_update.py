"""Update an installation, or skip the newer release."""

from __future__ import annotations

from django.urls import reverse

from console.distribution import sharing
from console.distribution.models import Share
from tests.distribution.page_text import text


def test_it_shows_the_changes_and_can_be_skipped_or_installed(
    installed, signed_in, boss, super_admin, change, crm, publish
):
    installation = installed()
    change(crm)
    release = publish("Without mail")
    sharing.send_update(Share.objects.get(), release, super_admin)
    browser, place = signed_in(boss), reverse("installation_update", args=[installation.pk])
    assert "Release 2 is available" in text(browser.get(reverse("installation_list")))
    page = text(browser.get(place))
    for words in ("Without mail", "Mailbox", "Deleted", "1 function modified"):
        assert words in page
    left = browser.post(place, {"seen": str(release.pk), "leave": "yes"}, follow=True)
    assert "stays at Release 1" in text(left)
    assert "(skipped)" in text(browser.get(reverse("installation_list")))
    assert "was updated" in text(browser.post(place, {"seen": str(release.pk)}, follow=True))
    assert "no newer release is offered" in text(browser.get(place))
