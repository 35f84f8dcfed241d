from __future__ import annotations

import json
import re

from django.urls import reverse

from console.runtime.api_reference import get_reference
from console.runtime.problem_types import PROBLEM_TYPES
from tests.connections.flow_steps import words_of

ADDRESS = reverse("api_reference")


def test_it_shows_every_operation_field_and_problem(developer_client):
    response = developer_client.get(ADDRESS)
    page = response.content.decode()
    document = json.loads(developer_client.get(reverse("runtime:openapi-json")).content)
    shown = {
        (method.lower(), operation.path)
        for operation in get_reference().operations
        for method in operation.methods
    }
    assert shown == {(m, path) for path, ops in document["paths"].items() for m in ops}
    for name, schema in document["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            assert f"<code>{field}</code>" in page, (name, field)
    for problem in PROBLEM_TYPES.values():
        assert reverse("problem_detail", args=[problem.slug]) in page
    assert reverse("runtime:openapi-json") in page


def test_the_paths_do_not_name_the_organization(developer_client):
    page = developer_client.get(f"/o/studio{ADDRESS}")
    assert "/o/studio/api" not in page.content.decode().replace('href="/o/studio/api', "")
    assert "http://console.test/api/v1/" in words_of(page)


def test_its_examples_are_complete(developer_client):
    for operation in get_reference().operations:
        assert operation.example.startswith('curl "http://console.test/api/v1/')
        assert not re.search(r"[{}]", operation.example.partition("-d ")[0])
