"""Roll back to an earlier release."""

from __future__ import annotations

from django.urls import reverse

from tests.connections.flow_steps import words_of


def test_it_shows_the_changes_and_rolls_back(developer_client, application, two, publish, edit):
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


def test_the_release_in_stage_has_nothing_to_roll_back(developer_client, two, publish):
    release = publish("find_people")
    address = reverse("release_roll_back", args=[release.pk])
    page = developer_client.get(address)
    assert "Both have the same content." in words_of(page)
    assert "Roll back</button>" not in page.content.decode()
