"""The head of a page: a description, and icons for every kind of browser."""

from __future__ import annotations

import re
import struct

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse


def test_every_page_has_a_description(client, developer_client):
    for page in (client.get(reverse("account_login")), developer_client.get(reverse("home"))):
        found = re.findall(r'<meta name="description" content="([^"]+)">', page.content.decode())
        assert len(found) == 1
        assert 50 <= len(found[0]) <= 160


@pytest.mark.parametrize(
    ("name", "size"),
    [("favicon-32", 32), ("apple-touch-icon", 180), ("icon-192", 192), ("icon-512", 512)],
)
def test_the_icons_have_the_sizes_that_they_state(name, size):
    with open(finders.find(f"console/{name}.png"), "rb") as file:
        header = file.read(24)
    assert struct.unpack(">II", header[16:]) == (size, size)


def test_the_manifest_names_icons_and_the_home_page(client):
    answer = client.get(reverse("manifest"))
    assert answer["Content-Type"] == "application/manifest+json"
    assert answer.json()["start_url"] == reverse("home")
    for each in answer.json()["icons"]:
        assert finders.find(each["src"].removeprefix("/static/"))


def test_browsers_may_load_the_manifest(client):
    policy = client.get(reverse("account_login")).headers["Content-Security-Policy"]
    assert "manifest-src 'self'" in policy
