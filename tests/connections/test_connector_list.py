from __future__ import annotations

import re

import pytest
from django.urls import reverse

from connectors.registry import get_connectors
from console.applications.models import Application

ADDRESS = reverse("connector_list")


def cards(response) -> list[str]:
    return re.findall(
        r'class="connector-card" type="submit" aria-label="([^"]*)"', response.content.decode()
    )


def test_it_works(developer_client):
    assert sorted(cards(developer_client.get(ADDRESS))) == sorted(
        connector.name for connector in get_connectors().values()
    )


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
        assert not [name for name in cards(developer_client.get(ADDRESS)) if "Sandbox" in name]
    finally:
        get_connectors.cache_clear()


def test_it_says_that_an_application_is_missing(signed_in, developer):
    response = signed_in(developer).get(ADDRESS)
    assert "There is no application yet" in response.content.decode()


def test_it_begins_in_the_application_of_the_address(developer_client, studio):
    Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    page = developer_client.get(f"{ADDRESS}?application=zeppelin").content.decode()
    assert "For Zeppelin." in page
