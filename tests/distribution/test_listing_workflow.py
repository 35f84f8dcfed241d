"""A listing from draft to withdrawal: edit, pictures, submit, review, publish, withdraw."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from console.distribution.models import Listing, Picture
from tests.distribution.page_text import text
from tests.distribution.picture_files import SECRET, chunk, png


def test_a_listing_is_written_submitted_refused_and_published(
    signed_in, super_admin, operator, boss, application, first
):
    browser, place = signed_in(super_admin), reverse("listing_edit", args=[application.pk])
    data = {
        "title": "Field Service",
        "summary": "Find people to send.",
        "description": "<script>alert(1)</script> words",
        "help_url": "https://studio.example/help",
        "release": first.pk,
    }
    for name, wrong in (("summary", "x" * 161), ("help_url", "javascript:alert(1)")):
        assert browser.post(place, data | {name: wrong}).status_code == 422
    assert browser.post(place, data).status_code == 303
    add = reverse("picture_add", args=[application.pk])
    file = SimpleUploadedFile("a.svg", b"<svg/>", "image/png")
    assert browser.post(add, {"picture": file, "words": "A plan"}).status_code == 422
    for _ in range(6):
        file = SimpleUploadedFile("a.png", png(80, 70, chunk(b"tEXt", SECRET)), "image/png")
        browser.post(add, {"picture": file, "words": "A plan"})
    assert Picture.objects.count() == 5
    picture = browser.get(reverse("listing_picture", args=[Picture.objects.first().pk]))
    assert picture["Content-Type"] == "image/png"
    assert picture["X-Content-Type-Options"] == "nosniff"
    assert SECRET not in picture.content
    other = signed_in(boss)
    hidden = reverse("listing_picture", args=[Picture.objects.first().pk])
    assert other.get(hidden).status_code == 404
    assert other.get(reverse("listing_detail", args=[application.pk])).status_code == 404

    browser.post(reverse("listing_submit", args=[application.pk]))
    assert "waiting for review" in text(browser.post(place, data, follow=True))
    row, reviewer = Listing.objects.get(), signed_in(operator)
    review = reverse("listing_review", args=[row.pk])
    assert reviewer.post(review, {"decision": "refuse"}).status_code == 422
    reviewer.post(review, {"decision": "refuse", "note": "Say who it is for."})
    assert "Say who it is for." in text(browser.get(place))
    browser.post(reverse("listing_submit", args=[application.pk]))
    reviewer.post(review, {"decision": "publish"})

    page = text(other.get(reverse("listing_detail", args=[application.pk])))
    assert "&lt;script&gt;" in page
    assert "Mailbox" in page
    assert "Field Service" in text(other.get(reverse("marketplace"), {"q": "find SEND"}))
    assert "No applications found" in text(other.get(reverse("marketplace"), {"q": "nothing"}))
    assert other.get(hidden).status_code == 200
    # A change is written beside what is published, which stays.
    browser.post(place, data | {"title": "Other words"})
    assert {row.state for row in Listing.objects.all()} == {"draft", "published"}
    assert "Other words" not in text(other.get(reverse("marketplace")))
    browser.post(reverse("listing_withdraw", args=[application.pk]))
    assert other.get(reverse("listing_detail", args=[application.pk])).status_code == 404
