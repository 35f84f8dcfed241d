from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

from console.applications.models import Application
from tests.connections.flowing import words_of


def test_it_works(developer_client, application, connect, studio):
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    connect(name="Leads")
    connect(name="Elsewhere", application=other)
    connect("slack", name="A draft", status="draft")
    page = words_of(developer_client.get(application.get_absolute_url()))
    assert "Leads" in page
    assert "Elsewhere" not in page
    assert "A draft" not in page


def test_without_connections_it_offers_the_first(developer_client, application):
    page = words_of(developer_client.get(application.get_absolute_url()))
    assert "No connections yet" in page


def test_the_pages_lead_to_every_row(developer_client, application, connect):
    for number in range(30):
        connect(name=f"Number {number:02}")
    address, seen = application.get_absolute_url(), set()
    while address:
        page = developer_client.get(address).content.decode()
        seen |= set(re.findall(r"Number \d\d", page))
        older = re.search(r'href="([^"]*)" rel="next"', page)
        address = urljoin(address, unescape(older[1])) if older else ""
    assert len(seen) == 30
