"""Show a release."""

from __future__ import annotations

from django.urls import reverse

from tests.connections.flow_steps import words_of


def test_it_shows_digest_and_content(developer_client, two, publish):
    release = publish("find_people")
    words = words_of(developer_client.get(release.get_absolute_url()))
    assert f"sha256:{release.digest}" in words
    assert "Find people Function · find_people Calls people" in words.replace(
        "connection_1", "people"
    )
    assert "1 component" in words
    assert "In Stage" in words


def test_it_links_to_what_was_published_and_to_running_it(developer_client, two, publish):
    release = publish("find_people")
    page = developer_client.get(release.get_absolute_url()).content.decode()
    url = two["find"].get_absolute_url()
    assert f'href="{url}"' in page
    assert f'href="{url}?run=stage" aria-label="Run Find people in Stage"' in page
    publish("order_parts")
    assert "?run=" not in developer_client.get(release.get_absolute_url()).content.decode()


def test_it_shows_what_changed_and_leads_back(developer_client, two, publish):
    first = publish("find_people")
    assert "Changes since" not in words_of(developer_client.get(first.get_absolute_url()))
    second = publish("order_parts")
    page = developer_client.get(second.get_absolute_url())
    assert "Changes since Release 1" in words_of(page)
    back = reverse("release_roll_back", args=[first.pk])
    assert f'href="{back}">Roll back to Release 1</a>' in page.content.decode()
