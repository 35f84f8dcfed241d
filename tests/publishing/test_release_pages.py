"""What was released: the list, one release, and two of them side by side."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from django.urls import reverse

from tests.connections.flow_steps import words_of


def test_the_list_shows_who_and_when_and_what_is_in_stage(
    developer_client, application, two, publish, developer
):
    publish("find_people", note="The first")
    publish("order_parts", note="The second")
    page = developer_client.get(reverse("release_list", args=[application.pk]))
    words = words_of(page)
    assert words.index("Release 2 In Stage") < words.index("The first")
    assert f"by {developer.email}" in words
    assert page.content.decode().count('aria-label="Roll back to') == 1


def test_without_releases_it_says_what_one_is(developer_client, application):
    page = developer_client.get(reverse("release_list", args=[application.pk]))
    assert "No releases yet" in words_of(page)


def test_older_releases_are_on_further_pages(developer_client, application, two, publish, edit):
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


def test_a_place_that_is_none_begins_at_the_newest(developer_client, application, two, publish):
    publish("find_people")
    address = reverse("release_list", args=[application.pk])
    for nonsense in ("x", "-1", "9" * 400, "\x00", "²"):
        assert "Release 1" in words_of(developer_client.get(address, {"before": nonsense}))


def test_a_release_shows_its_digest_and_what_is_in_it(developer_client, two, publish):
    release = publish("find_people")
    words = words_of(developer_client.get(release.get_absolute_url()))
    assert f"sha256:{release.digest}" in words
    assert "Find people Function · find_people Calls people" in words.replace(
        "connection_1", "people"
    )
    assert "1 component" in words
    assert "In Stage" in words


def test_two_releases_are_compared(developer_client, application, two, publish, ask_for):
    publish("find_people")
    ask_for(two["people"], "contacts.write")
    publish("find_people")
    address = reverse("release_compare", args=[application.pk])
    words = words_of(developer_client.get(address, {"before": "1", "after": "2"}))
    assert "Now also asks for contacts.write." in words
    assert "No longer asks for contacts.read." in words
    words = words_of(developer_client.get(address, {"before": "2", "after": "development"}))
    assert "Order parts Function · order_parts Added" in words


def test_what_cannot_be_compared_is_not_there(developer_client, application, two, publish):
    publish("find_people")
    address = reverse("release_compare", args=[application.pk])
    for before in ("2", "", "x", "\x00"):
        response = developer_client.get(address, {"before": before, "after": "1"})
        assert response.status_code == 404


def test_a_change_is_shown_line_by_line(developer_client, application, two, publish, edit):
    publish("find_people")
    edit(two["find"], {"calls": [], "description": "Nothing <b>yet</b>"})
    address = reverse("change_detail", args=[application.pk, "components", "find_people"])
    page = developer_client.get(address).content.decode()
    assert "<ins>+     &quot;description&quot;: &quot;Nothing &lt;b&gt;yet&lt;/b&gt;" in page
    assert "<del>" in page
    part = developer_client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "<ins>" in part


def test_what_did_not_change_has_no_lines(developer_client, application, two, publish):
    publish("find_people")
    for what, name in (
        ("components", "find_people"),
        ("components", "nobody"),
        ("nonsense", "find_people"),
    ):
        address = reverse("change_detail", args=[application.pk, what, name])
        assert developer_client.get(address).status_code == 404


def test_rolling_back_says_what_changes_and_does_it(
    developer_client, application, two, publish, edit
):
    first = publish("find_people")
    edit(two["find"], {"calls": []})
    publish("find_people", "order_parts")
    address = reverse("release_roll_back", args=[first.pk])
    words = words_of(developer_client.get(address))
    assert "Find people Function · find_people Modified" in words
    assert "Order parts Function · order_parts Deleted" in words

    response = developer_client.post(address, {"note": "Back"}, follow=True)

    assert "Release 3 is in Stage, with the content of Release 1." in words_of(response)
    assert application.releases.get(number=3).content == first.content


def test_rolling_back_to_what_is_in_stage_offers_nothing(developer_client, two, publish):
    release = publish("find_people")
    address = reverse("release_roll_back", args=[release.pk])
    page = developer_client.get(address)
    assert "Both have the same content." in words_of(page)
    assert "Roll back</button>" not in page.content.decode()
