"""Show a release."""

from __future__ import annotations

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
    assert f'href="{url}#run" aria-label="Run Find people in Stage"' in page
    publish("order_parts")
    assert "#run" not in developer_client.get(release.get_absolute_url()).content.decode()
