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
    return re.findall(r'id="tick-(\w+)"[^>]* checked', response.content.decode())


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
    assert "<html" not in response.content.decode()
    assert ticked(response) == ["find_people"]


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
