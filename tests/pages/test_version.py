"""The version: stated once in ``pyproject.toml``, shown to people and to programs."""

from __future__ import annotations

import tomllib

from django.conf import settings
from django.urls import reverse

from connectors.http.http_client import user_agent
from connectors.version import VERSION


def test_it_is_the_version_of_the_project():
    project = tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION


def test_the_footer_shows_it(developer_client):
    page = developer_client.get(reverse("home")).content.decode()
    assert f"Developer Console {VERSION}</footer>" in page


def test_the_footer_hides_it_from_visitors(client):
    assert VERSION not in client.get(reverse("account_login")).content.decode()


def test_the_description_of_the_api_states_it(client):
    assert client.get("/api/v1/openapi.json").json()["info"]["version"] == VERSION


def test_services_see_it_in_the_user_agent():
    assert user_agent() == f"DeveloperConsole/{VERSION}"
