from __future__ import annotations

import pytest
from django.urls import reverse

from console.choices import ComponentKind
from console.components.definitions import STARTERS
from console.components.models import Component
from tests.connections.flow_steps import words_of


@pytest.fixture
def address(application) -> str:
    return reverse("component_create", args=[application.pk])


@pytest.mark.parametrize("kind", ComponentKind.values)
def test_it_works(developer_client, developer, application, address, kind):
    response = developer_client.post(address, {"name": "Find customer", "kind": kind})

    component = Component.objects.get()
    assert response.status_code == 303
    assert response["Location"] == component.get_absolute_url()
    assert (component.application, component.kind) == (application, kind)
    assert (component.name, component.link_name) == ("Find customer", "find_customer")
    assert component.definition == STARTERS[kind]
    assert component.updated_by == developer
    assert developer_client.get(response["Location"]).status_code == 200


def test_it_says_what_each_kind_is(developer_client, address):
    response = developer_client.get(address)
    page = words_of(response)
    for kind in ComponentKind:
        assert kind.label in page
    assert "Calls services through connections." in page
    assert response.content.decode().count('name="kind"') == 5


@pytest.mark.parametrize(("asked", "chosen"), [("report", "report"), ("", "function"), ("x", "")])
def test_the_address_may_name_the_kind(developer_client, address, asked, chosen):
    page = developer_client.get(address, {"kind": asked} if asked else {}).content.decode()
    checked = [
        kind
        for kind in ComponentKind.values
        if f'value="{kind}"' in page and _is_checked(page, kind)
    ]
    assert checked == ([chosen] if chosen else [])


def _is_checked(page: str, kind: str) -> bool:
    radio = page[page.index(f'id="kind-{kind}"') :]
    return " checked" in radio[: radio.index(">")]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"name": "", "kind": "form"}, "Name : This field is required."),
        ({"name": "x" * 101, "kind": "form"}, "at most 100 characters"),
        ({"name": "x\0", "kind": "form"}, "Null characters"),
        ({"name": "Find"}, "Choose a kind."),
        ({"name": "Find", "kind": "plane"}, "plane is not one of the available choices."),
    ],
)
def test_it_refuses_what_is_wrong(developer_client, address, form, words):
    response = developer_client.post(address, form)
    assert response.status_code == 422
    assert words in words_of(response)
    assert not Component.objects.exists()


def test_a_second_one_of_the_name_has_a_number(developer_client, address):
    for _ in range(2):
        developer_client.post(address, {"name": "Find", "kind": "function"})
    assert sorted(Component.objects.values_list("link_name", flat=True)) == ["find", "find_2"]


def test_markup_stays_text(developer_client, address):
    hostile = '"><svg onload=alert(1)>'
    response = developer_client.post(address, {"name": hostile, "kind": "function"}, follow=True)
    assert response.status_code == 200
    assert "<svg onload" not in response.content.decode()
