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
