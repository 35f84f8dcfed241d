from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from jsonschema_rs import meta

from console.components import json_schema
from tests.transfer.files import connection, document


@pytest.fixture
def client(db) -> Client:
    return Client()


@pytest.mark.parametrize("name", ["application", "component"])
def test_it_works_for_everybody(client, name):
    response = client.get(f"/schemas/{name}.json")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/schema+json"
    meta.validate(response.json())


def test_an_unknown_name_is_not_found(client):
    assert client.get(reverse("schema_detail", args=["settings"])).status_code == 404


def test_it_rejects_post(client):
    assert client.post(reverse("schema_detail", args=["component"])).status_code == 405


def test_every_pattern_has_a_sentence():
    waiting = [json_schema.schema(name) for name in json_schema.names()]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if isinstance(node.get("pattern"), str):
                assert node["x-sentence"]
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node


@pytest.mark.parametrize("part", ["name", "link_name"])
def test_a_line_break_at_the_end_is_a_part_of_the_text(part):
    changed = document(connections=[connection(**{part: "customers\n"})])
    paths = [path for path, _ in json_schema.problems(changed, name="application")]
    assert ("connections", 0, part) in paths
