"""The registry of connectors, and the search."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.definitions.registry import (
    CATALOGUE,
    UnknownConnector,
    categories,
    get_connector,
    get_connectors,
)
from connectors.definitions.search import search


@pytest.fixture(autouse=True)
def fresh_registry() -> Iterator[None]:
    get_connectors.cache_clear()
    yield
    get_connectors.cache_clear()


def slugs(query: str = "", category: str = "", auth_type: str = "") -> list[str]:
    return [connector.slug for connector in search(query, category, auth_type)]


def test_it_offers_connectors_in_the_order_of_their_names() -> None:
    names = [connector.name.lower() for connector in get_connectors().values()]
    assert names == sorted(names)
    assert "zoho crm" in names


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        get_connectors()["other"] = get_connector("github")  # type: ignore[index]


def test_it_fills_in_the_url_of_the_sandbox(settings) -> None:
    settings.SANDBOX_URL = "http://localhost:9123"
    assert get_connector("sandbox").api_base_url == "http://localhost:9123/api"


def test_it_does_not_offer_the_sandbox_without_its_url(settings) -> None:
    settings.SANDBOX_URL = ""
    assert not any(connector.sandbox for connector in get_connectors().values())
    assert "Sandbox" not in categories()
    assert "github" in get_connectors()
    with pytest.raises(UnknownConnector):
        get_connector("sandbox")


@pytest.mark.parametrize(
    ("slug", "hint"),
    [
        ("zoho_crn", "Did you mean zoho_crm"),
        ("salesforse", "Did you mean salesforce"),
        ("qwertyuiop", "'qwertyuiop' here.$"),
    ],
)
def test_an_unknown_slug_gets_similar_suggestions(slug: str, hint: str) -> None:
    with pytest.raises(UnknownConnector, match=hint):
        get_connector(slug)


def test_it_lists_categories_once_and_sorted() -> None:
    found = categories()
    assert found == sorted(set(found))
    assert {"Zoho", "Sandbox"} <= set(found)


def test_an_empty_search_finds_everything() -> None:
    assert slugs() == list(get_connectors())


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("zoho crm", "zoho_crm"),
        ("  ZOHO   CRM ", "zoho_crm"),
        ("crm zoho", "zoho_crm"),
        ("sales", "salesforce"),
        ("plivo sms", "plivo"),
        ("gogle calender", "google_calendar"),
        ("microsft teems", "microsoft_teams"),
        ("sfdc", "salesforce"),
        ("gsheets", "google_sheets"),
        ("salesforse", "salesforce"),
        ("twillio", "twilio"),
        ("gihub", "github"),
        ("slak", "slack"),
        ("jupiter", "jupyterhub"),
        ("rabitmq", "rabbitmq_management"),
        ("hubspto", "hubspot"),
    ],
)
def test_it_finds_what_a_person_means(query: str, first: str) -> None:
    assert slugs(query)[0] == first


@pytest.mark.parametrize("query", ["qwertyuiop", "zzz", "zoho qwertyuiop", "%", "'; drop"])
def test_a_search_can_find_nothing(query: str) -> None:
    assert slugs(query) == []


def test_a_name_that_starts_with_the_query_comes_first() -> None:
    assert slugs("hub") == ["hubspot", "hugging_face", "github", "jupyterhub"]


def test_it_narrows_by_category_and_auth_type() -> None:
    assert {"zoho_crm", "zoho_projects"} < set(slugs(category="Zoho"))
    assert all(slug.startswith("zoho_") for slug in slugs(category="Zoho"))
    assert slugs(category="Zoho", auth_type="basic") == ["zoho_projects"]
    assert "twilio" in slugs(auth_type="api_key")
    assert slugs("zoho", "Sandbox") == []
    assert slugs(category="nothing of the kind") == []


def test_an_extra_catalogue_adds_and_overrides(settings, tmp_path) -> None:
    definition = (CATALOGUE / "github.toml").read_text()
    ours = definition.replace('name = "GitHub"', 'name = "Our GitHub"', 1)
    (tmp_path / "github.toml").write_text(ours)
    (tmp_path / "our_other.toml").write_text(ours.replace("Our GitHub", "Our other", 1))
    settings.EXTRA_CATALOGUES = [str(tmp_path)]
    get_connectors.cache_clear()
    assert get_connector("github").name == "Our GitHub"
    assert get_connector("our_other").name == "Our other"
    assert get_connector("slack").name == "Slack"


def test_a_category_is_searched_too() -> None:
    found = slugs("payments")
    assert {"stripe", "adyen"} <= set(found)
    assert found == slugs("paymnets")


def test_a_long_query_is_answered_quickly() -> None:
    assert slugs("qwert yuiop " * 1000) == []
