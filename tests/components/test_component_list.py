from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

import pytest
from django.urls import reverse

from tests.connections.flow_steps import words_of


@pytest.fixture
def address(application) -> str:
    return reverse("component_list", args=[application.pk])


def test_it_works(developer_client, address, build):
    build("Find people")
    assert "Find people Function find_people" in words_of(developer_client.get(address))


def test_without_components_it_offers_the_first(developer_client, address):
    assert "No components yet" in words_of(developer_client.get(address))


def test_the_pages_lead_to_every_row(developer_client, address, build):
    for number in range(65):
        build(f"Number {number:02}")
    seen: set[str] = set()
    place = f"{address}?q=number"
    while place:
        page = developer_client.get(place).content.decode()
        seen |= set(re.findall(r"Number \d\d", page))
        older = re.search(r'href="([^"]*)" rel="next"', page)
        place = urljoin(place, unescape(older[1])) if older else ""
    assert len(seen) == 65


def test_it_is_narrowed(developer_client, address, build, connect):
    people = connect(name="People")
    build("Find people", people)
    build("Page of people", kind="page", definition={"sections": []})
    for query, found in (
        ({"kind": "page"}, "Page of people"),
        ({"connection": people.link_name}, "Find people"),
        ({"q": "FIND"}, "Find people"),
    ):
        words = words_of(developer_client.get(address, query))
        assert found in words
        assert words.count("Changed") == 1


def test_what_fits_nothing_says_so(developer_client, address, build):
    build("Find people")
    for query in ({"q": "xyz"}, {"connection": "\x00"}, {"q": "x\x00y"}, {"after": "\x00zz"}):
        page = developer_client.get(address, query)
        assert page.status_code == 200


def test_with_htmx_only_the_table_comes(developer_client, address, build):
    build("Find people")
    headers = {"HX-Request": "true", "HX-Target": "table"}
    assert "<html" not in developer_client.get(address, headers=headers).content.decode()
