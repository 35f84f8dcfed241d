"""Preview a selection with its dependencies; nothing is published."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from console.components import saving
from console.publishing.models import Release
from tests.connections.flow_steps import words_of


@pytest.fixture
def address(application) -> str:
    return reverse("publish_preview", args=[application.pk])


def ticked(response) -> list[str]:
    return sorted(re.findall(r'id="tick-(\w+)"[^>]* checked', response.content.decode()))


def test_it_works(developer_client, address, two):
    response = developer_client.post(address, {"tick": "find_people", "note": "My words"})
    assert ticked(response) == ["find_people"]
    words = words_of(response)
    assert "Included, because Find people references it." in words
    assert "Not included: it is published only together with Order parts." in words
    assert "1 component and 1 connection of Field Service will be published to Stage." in words
    assert "My words" in response.content.decode()
    assert not Release.objects.exists()


def test_with_htmx_only_the_choices_come(developer_client, address, two):
    response = developer_client.post(
        address, {"tick": "find_people"}, headers={"HX-Request": "true", "HX-Target": "choices"}
    )
    page = response.content.decode()
    assert "<html" not in page
    assert ticked(response) == ["find_people"]
    # An empty URL would be that of the page, which publishes.
    assert set(re.findall(r'(?:hx-post|formaction)="([^"]*)"', page)) == {address}


def test_all_and_none(developer_client, address, two):
    assert ticked(developer_client.post(address, {"choose": "all"})) == [
        "find_people",
        "order_parts",
    ]
    assert ticked(developer_client.post(address, {"choose": "none", "tick": "find_people"})) == []


def test_what_a_ticked_workflow_runs_cannot_be_unticked(developer_client, address, two, build):
    build("Morning", kind="workflow", definition={"steps": [{"function": "find_people"}]})
    response = developer_client.post(address, {"tick": "morning"})
    assert ticked(response) == ["find_people", "morning"]
    assert re.search(r'id="tick-find_people"[^>]* disabled', response.content.decode())
    assert "Included, because Morning runs it." in words_of(response)


def test_it_includes_workflows_that_still_run_a_deleted_function(
    developer_client, address, two, build, publish, edit, developer
):
    morning = build("Morning", kind="workflow", definition={"steps": [{"function": "find_people"}]})
    publish("morning")
    edit(morning, {"steps": []})
    saving.delete(two["find"], developer)

    response = developer_client.post(address, {"tick": "find_people"})

    assert ticked(response) == ["find_people", "morning"]
    assert "Included, because it still runs Find people in Stage." in words_of(response)


def shown(response) -> set[str]:
    return set(re.findall(r'id="tick-(\w+)"', response.content.decode()))


def test_the_changes_are_grouped_by_kind(developer_client, address, two, build):
    build("Morning", kind="workflow", definition={"steps": [{"function": "find_people"}]})
    words = words_of(developer_client.post(address, {"tick": "find_people"}))
    assert "Workflows 1 change, 0 ticked" in words
    assert "Functions 2 changes, 1 ticked" in words


def test_a_search_hides_changes_and_keeps_their_ticks(developer_client, address, two):
    response = developer_client.post(address, {"tick": "find_people", "q": "ORDER parts"})
    assert shown(response) == {"order_parts"}
    assert '<input type="hidden" name="tick" value="find_people">' in response.content.decode()
    assert "1 component and 1 connection of Field Service" in words_of(response)
    assert "No changed component matches." in words_of(
        developer_client.post(address, {"q": "nothing"})
    )


def test_only_mine(developer_client, address, two, super_admin, developer):
    saving.save(two["order"], super_admin, version=two["order"].version)
    response = developer_client.post(address, {"mine": "on"})
    assert shown(response) == {"find_people"}


def test_all_and_none_are_what_the_search_shows(developer_client, address, two):
    every = developer_client.post(address, {"choose": "all", "q": "order"})
    assert ticked(every) == ["order_parts"]
    none = developer_client.post(
        address, {"choose": "none", "q": "order", "tick": ["find_people", "order_parts"]}
    )
    assert ticked(none) == []
    assert 'name="tick" value="find_people"' in none.content.decode()


def test_the_url_keeps_the_ticks_for_the_way_back(developer_client, application, address, two):
    response = developer_client.post(
        address, {"tick": "find_people"}, headers={"HX-Request": "true", "HX-Target": "choices"}
    )
    url = response["HX-Replace-Url"]
    assert url == f"{reverse('publish', args=[application.pk])}?tick=find_people"
    assert ticked(developer_client.get(url)) == ["find_people"]


def test_many_changes_are_closed_until_they_are_needed(developer_client, address, build):
    for number in range(21):
        build(f"Find {number}")
    opened = '<details class="change-group" open>'
    assert opened not in developer_client.post(address, {}).content.decode()
    assert opened in developer_client.post(address, {"tick": "find_1"}).content.decode()
    assert opened in developer_client.post(address, {"q": "find"}).content.decode()


@pytest.fixture
def forty(build):
    for number in range(40):
        build(f"Find {number:02}")


def test_a_large_group_shows_one_screen(developer_client, address, forty):
    page = developer_client.post(address, {"q": "find", "tick": ["find_35"]})
    rows = shown(page)
    assert len(rows) == 30
    assert "find_35" in rows  # ticked ones come first
    assert "Showing 30 of 40." in words_of(page)
    whole = developer_client.post(address, {"whole": "function", "tick": ["find_35"]})
    assert len(shown(whole)) == 40
    assert ticked(whole) == ["find_35"]


def test_ticks_without_a_row_are_kept(developer_client, application, address, forty):
    every = developer_client.post(address, {"choose": "all"})
    page = every.content.decode()
    names = re.findall(r'name="tick" value="(\w+)"', page)
    assert len(names) == len(set(names)) == 40
    assert "40 components of Field Service will be published to Stage." in words_of(every)
    none = developer_client.post(address, {"choose": "none", "tick": names})
    assert ticked(none) == []


def test_the_url_of_very_many_ticks_names_what_is_left_out(
    developer_client, application, address, build
):
    for number in range(80):
        build(f"A name that is rather long, as names of this kind can be {number:02}")
    names = sorted(application.components.values_list("link_name", flat=True))
    response = developer_client.post(
        address, {"tick": names[1:]}, headers={"HX-Request": "true", "HX-Target": "choices"}
    )
    url = response["HX-Replace-Url"]
    assert url.endswith(f"?all=on&except={names[0]}")
    assert "79 components" in words_of(developer_client.get(url))
