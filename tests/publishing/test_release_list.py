"""List the releases of an application."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from django.urls import reverse

from tests.connections.flow_steps import words_of


def test_it_shows_author_date_and_the_release_in_stage(
    developer_client, application, two, publish, developer
):
    publish("find_people", note="The first")
    publish("order_parts", note="The second")
    page = developer_client.get(reverse("release_list", args=[application.pk]))
    words = words_of(page)
    assert words.index("Release 2 In Stage") < words.index("The first")
    assert f"by {developer.email}" in words
    assert page.content.decode().count('aria-label="Roll back to') == 1


def test_without_releases_it_explains_them(developer_client, application):
    page = developer_client.get(reverse("release_list", args=[application.pk]))
    assert "No releases yet" in words_of(page)


def test_older_releases_are_on_the_next_pages(developer_client, application, two, publish, edit):
    for number in range(25):
        edit(two["find"], name=f"Find {number}")
        publish("find_people")
    address, seen = reverse("release_list", args=[application.pk]), set()
    while address:
        page = developer_client.get(address).content.decode()
        seen |= set(re.findall(r'/">(Release \d+)</a>', page))
        older = re.search(r'href="([^"]*)" rel="next"', page)
        address = urljoin(address, older[1]) if older else ""
    assert len(seen) == 25


def test_an_invalid_page_starts_at_the_newest_release(developer_client, application, two, publish):
    publish("find_people")
    address = reverse("release_list", args=[application.pk])
    for nonsense in ("x", "-1", "9" * 400, "\x00", "²"):
        assert "Release 1" in words_of(developer_client.get(address, {"before": nonsense}))
