from __future__ import annotations

import pytest
from django.urls import reverse

from console.components.models import Component, Reference
from console.publishing import publishing
from tests.connections.flow_steps import words_of


def address(component) -> str:
    return reverse("component_delete", args=[component.pk])


def test_it_works(developer_client, application, connect, build):
    component = build("Find", connect())
    response = developer_client.post(address(component))
    assert response.status_code == 303
    assert response["Location"] == application.get_absolute_url()
    assert not Component.objects.exists()
    assert not Reference.objects.exists()


@pytest.mark.usefixtures("may_publish")
def test_it_says_what_happens(developer_client, developer, application, build):
    component = build("Find")
    assert "Stage keeps it" not in words_of(developer_client.get(address(component)))
    publishing.publish(application, developer, ticked=["find"])
    page = words_of(developer_client.get(address(component)))
    assert "It is deleted from Development immediately" in page
    assert "Stage keeps it until you publish the deletion." in page
    assert Component.objects.exists()


def test_what_others_run_stays(developer_client, build):
    component = build("Find")
    build("Whole", kind="workflow", definition={"steps": [{"function": "find"}]})
    build("Entry", kind="form", definition={"on_send": {"function": "find"}})
    build("Other", kind="workflow", definition={"steps": []})
    for method, status in (("get", 200), ("post", 409)):
        response = getattr(developer_client, method)(address(component))
        assert response.status_code == status
        page = words_of(response)
        assert "Find cannot be deleted" in page
        assert "Whole (Workflow)" in page
        assert "Entry (Form)" in page
        assert "Other" not in page
    assert Component.objects.filter(name="Find").exists()
