from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from connections.views.gallery import FIRST_CARDS
from connectors.definitions.registry import get_connectors
from console.applications.models import Application
from tests.connections.flow_steps import words_of

ADDRESS = reverse("connector_list")


def cards(response) -> list[str]:
    return re.findall(
        r'class="connector-card" type="submit" aria-label="([^"]*)"', response.content.decode()
    )


def test_it_works(developer_client):
    page = developer_client.get(ADDRESS)
    assert len(cards(page)) == FIRST_CARDS
    assert f"{len(get_connectors())} connectors, the first {FIRST_CARDS} shown" in words_of(page)


def test_it_shows_all(developer_client):
    page = developer_client.get(ADDRESS)
    [address] = re.findall(r'<a class="btn" href="([^"]*)"[^>]*>Show all', page.content.decode())
    everything = developer_client.get(unescape(address))
    names = [connector.name for connector in get_connectors().values()]
    assert sorted(cards(everything)) == sorted(names)
    assert b">Show all" not in everything.content


def test_what_is_searched_for_stays_when_all_is_shown(developer_client):
    page = developer_client.get(f"{ADDRESS}?q=zoho&auth=oauth2").content.decode()
    [address] = re.findall(r'<a class="btn" href="([^"]*)"[^>]*>Show all', page)
    found = cards(developer_client.get(unescape(address)))
    assert len(found) > FIRST_CARDS
    assert all(name.startswith("Zoho") for name in found)


def test_the_first_paint_does_not_grow_with_the_catalogue(developer_client):
    assert len(developer_client.get(ADDRESS).content) < 60_000


def test_the_sandbox_comes_first(developer_client):
    assert cards(developer_client.get(ADDRESS))[:3] == [
        "Sandbox",
        "Sandbox API Key",
        "Sandbox Basic",
    ]


def test_what_was_connected_to_last_comes_before_everything(developer_client, connect):
    for slug in ("zoho_crm", "xero", "zoho_crm"):
        connect(connector=slug)
    assert cards(developer_client.get(ADDRESS))[:3] == ["Zoho CRM", "Xero", "Sandbox"]
    assert cards(developer_client.get(f"{ADDRESS}?category=Zoho"))[0] == "Zoho CRM"
    assert cards(developer_client.get(f"{ADDRESS}?q=sandbox"))[0] == "Sandbox"


@pytest.mark.parametrize(
    ("query", "first"),
    [("q=zoho+crm", "Zoho CRM"), ("q=slak", "Slack"), ("auth=api_key&q=twi", "Twilio")],
)
def test_it_finds(developer_client, query, first):
    assert cards(developer_client.get(f"{ADDRESS}?{query}"))[0] == first


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 9000, "category=%00", "auth=nonsense"])
def test_nothing_breaks_it(developer_client, query):
    assert developer_client.get(f"{ADDRESS}?{query}").status_code == 200


def test_htmx_gets_the_cards_alone(developer_client):
    headers = {"HX-Request": "true", "HX-Target": "cards"}
    response = developer_client.get(f"{ADDRESS}?q=slack", headers=headers)
    assert b"<html" not in response.content
    assert cards(response) == ["Slack"]


def test_it_leaves_the_sandbox_out_in_production(developer_client, settings):
    settings.SANDBOX_URL = ""
    get_connectors.cache_clear()
    try:
        page = developer_client.get(f"{ADDRESS}?all=1")
        assert not [name for name in cards(page) if "Sandbox" in name]
    finally:
        get_connectors.cache_clear()


def test_it_says_that_an_application_is_missing(signed_in, developer):
    response = signed_in(developer).get(ADDRESS)
    assert "There is no application yet" in response.content.decode()


def test_it_begins_in_the_application_of_the_address(developer_client, studio):
    Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    page = developer_client.get(f"{ADDRESS}?application=zeppelin").content.decode()
    assert "For Zeppelin." in page
