from __future__ import annotations

import pytest
from django.urls import reverse

from console.components.models import Component


def check(client, component, **form):
    return client.post(reverse("component_check", args=[component.pk]), form)


def test_it_works(developer_client, build):
    component = build("Find")
    answer = check(developer_client, component, definition='{"calls": []}')
    assert answer.status_code == 200
    assert answer.json() == {"faults": [], "more": 0}


def test_it_tells_where_each_fault_is(developer_client, build):
    component = build("Find")
    text = '{"calls": [\r\n{"connection": "nope", "path": "/"}]}'
    (fault,) = check(developer_client, component, definition=text).json()["faults"]
    assert (fault["line"], fault["column"]) == (2, 16)
    assert fault["message"].startswith("This application has no connection nope.")
    assert Component.objects.get().version == 1


@pytest.mark.parametrize("form", [{}, {"definition": ""}, {"definition": "x" * 200_001}])
def test_it_says_so_of_anything(developer_client, build, form):
    component = build("Find")
    assert len(check(developer_client, component, **form).json()["faults"]) == 1


def test_it_reads_it_as_what_it_is(developer_client, build):
    """A workflow has steps, and what the browser says about its kind does not count."""
    component = build("Whole", kind="workflow", definition={"steps": []})
    answer = check(developer_client, component, definition='{"calls": []}', kind="function")
    assert answer.json()["faults"]
