"""The search page: what each role finds, and what it costs."""

from __future__ import annotations

import re

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connections.setup.tagging import add_tags
from console.accounts.models import Organization
from console.applications.models import Right
from console.choices import Level, Role
from console.inviting.models import Invitation
from console.publishing.manifest import Manifest
from console.publishing.models import Installation, Release
from console.search.search_result import MOST
from tests.connections.flow_steps import words_of

ADDRESS = reverse("search")


def found(client, query: str, kind: str = "") -> dict[str, list[str]]:
    """Return the titles of what a search finds, by kind."""
    response = client.get(ADDRESS, {"q": query, "kind": kind})
    assert response.status_code == 200
    groups = response.context["groups"]
    return {group.kind: [result.title for result in group.results] for group in groups}


ROWS = {
    "connections",
    "components",
    "applications",
    "installed",
    "installed_connections",
    "clients",
    "people",
}


@pytest.fixture
def named_zebra(studio, application, connect, build, install, developer, member) -> None:
    """One thing of each kind with the same word in its name, and the same of another company."""
    application.name = "Zebra application"
    application.save()
    build("Zebra component")
    connection = connect(name="Zebra connection")
    release = Release.objects.create(
        application=application, number=1, content=Manifest().text, created_by=developer
    )
    Installation.objects.create(
        application=application, organization=studio, release=release, installed_by=developer
    )
    install(connection, studio, level=Level.ADMINISTRATOR)
    client = Organization.objects.create(name="Zebra client", slug="zebra")
    Invitation.objects.create(
        organization=studio,
        email="x@zebra.example",
        token_hash="0" * 64,
        expires_at=timezone.now(),
        accepted_at=timezone.now(),
        client=client,
    )
    member(studio, Role.USER, "zebra@studio.example")


EXPECTED = {
    Role.SUPER_ADMIN: ROWS,
    Role.DEVELOPER: {
        "connections",
        "components",
        "applications",
        "installed",
        "installed_connections",
    },
    Role.ADMIN: {"installed", "installed_connections"},
    Role.USER: {"installed"},
}


@pytest.mark.parametrize("role", Role.values)
def test_each_role_finds_what_it_may_see(named_zebra, signed_in, member, studio, role):
    client = signed_in(member(studio, role, f"someone-{role}@studio.example"))
    assert set(found(client, "zebra")) & ROWS == EXPECTED[Role(role)]


def test_a_developer_who_ships_an_application_finds_clients(
    named_zebra, signed_in, developer, application
):
    Right.objects.create(application=application, user=developer, may_distribute=True)
    assert found(signed_in(developer), "zebra")["clients"] == ["Zebra client"]


def test_strangers_and_the_operator_find_no_row(named_zebra, signed_in, stranger, operator):
    for person in (stranger, operator):
        assert not set(found(signed_in(person), "zebra")) & ROWS


def test_one_organization_in_the_url_limits_the_rows(
    named_zebra, developer, signed_in, stranger_organization
):
    developer.memberships.create(organization=stranger_organization, role=Role.DEVELOPER)
    client = signed_in(developer)
    here = client.get(f"/o/studio{ADDRESS}?q=zebra").context["groups"]
    there = client.get(f"/o/elsewhere{ADDRESS}?q=zebra").context["groups"]
    assert "connections" in {group.kind for group in here}
    assert not {group.kind for group in there} & ROWS


def test_drafts_of_colleagues_are_not_found(developer_client, connect, member, studio):
    colleague = member(studio, Role.DEVELOPER, "colleague@studio.example")
    connect(name="Zebra of a colleague", status="draft", created_by=colleague, link_name="")
    connect(name="Zebra of mine", status="draft", link_name="")
    assert found(developer_client, "zebra")["connections"] == ["Zebra of mine"]


def test_all_words_must_match_and_the_best_is_first(developer_client, connect):
    for name in ("Nightly sales export", "Sales", "Other"):
        connect(name=name)
    assert found(developer_client, "sales")["connections"] == ["Sales", "Nightly sales export"]
    assert found(developer_client, "export sales")["connections"] == ["Nightly sales export"]
    assert found(developer_client, "sales sandbox")["connections"]
    assert "connections" not in found(developer_client, "sales absent")


def test_a_connection_is_found_by_its_description_and_its_tags(
    developer_client, developer, connect
):
    add_tags(connect(name="Ledger", description="Sends each invoice."), ["billing"], developer)
    connect(name="Other")
    for query in ("invoice", "BILLING", "billing each ledger"):
        assert found(developer_client, query)["connections"] == ["Ledger"]
    assert "connections" not in found(developer_client, "billing other")


def test_a_misspelled_service_is_found(developer_client, connect):
    connect("slack", name="Team messages")
    results = found(developer_client, "slakc")
    assert results["connections"] == ["Team messages"]
    assert results["services"][0] == "Slack"


@pytest.mark.parametrize(
    ("query", "kind", "title"),
    [
        ("passkeys", "pages", "Security"),
        ("pasword", "pages", "Change your password"),
        ("openapi", "pages", "API reference"),
        ("separate authorizations stage", "documentation", ""),
        ("authorization-required", "documentation", "The connection needs authorization"),
        ("run function", "documentation", ""),
    ],
)
def test_settings_and_documentation_are_found(developer_client, query, kind, title):
    titles = found(developer_client, query)[kind]
    assert title in titles if title else titles


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        (Role.USER, {"Installed", "Health"}, {"Administration", "Microservices", "Activity"}),
        (Role.DEVELOPER, {"Microservices", "Activity"}, {"Administration", "People", "Clients"}),
        (Role.SUPER_ADMIN, {"People", "Clients", "OAuth clients"}, {"Reviews"}),
    ],
)
def test_pages_and_actions_follow_the_policy(signed_in, member, studio, role, shown, hidden):
    client = signed_in(member(studio, role))
    headers = {"HX-Request": "true", "HX-Target": "palette-results"}
    groups = client.get(ADDRESS, headers=headers).context["groups"]
    titles = {result.title for group in groups for result in group.results}
    assert shown <= titles
    assert not hidden & titles
    for group in groups:
        for result in group.results:
            if result.url and not result.is_post:
                assert client.get(result.url.partition("#")[0]).status_code == 200, result


def test_the_palette_offers_to_publish_with_the_right(developer_client, application, developer):
    def titles(query: str) -> set[str]:
        headers = {"HX-Request": "true", "HX-Target": "palette-results"}
        response = developer_client.get(ADDRESS, {"q": query}, headers=headers)
        assert b"<html" not in response.content
        return {r.title for group in response.context["groups"] for r in group.results}

    assert "Publish Field Service to Stage" not in titles("publish field")
    Right.objects.create(application=application, user=developer, may_publish=True)
    assert "Publish Field Service to Stage" in titles("publish field")
    assert "Publish Field Service to Stage" not in titles("publish other")
    assert "Sign out" in titles("sign out")


@pytest.mark.parametrize("query", ["%00", "x", "", "%25", "_", "%ED%A0%80", "'", "a" * 5000])
def test_any_query_is_answered(developer_client, connect, query):
    connect(name="Sales")
    response = developer_client.get(f"{ADDRESS}?q={query}&kind=%00")
    assert response.status_code == 200
    assert "Sales" not in words_of(response).replace("Sales force", "")


def test_it_says_that_nothing_was_found(developer_client):
    assert "Nothing found" in words_of(developer_client.get(f"{ADDRESS}?q=qqqqzzzz"))


def test_results_are_counted_up_to_a_bound(developer_client, connect):
    for n in range(MOST + 5):
        connect(name=f"Zebra {n}")
    response = developer_client.get(f"{ADDRESS}?q=zebra")
    group = next(g for g in response.context["groups"] if g.kind == "connections")
    assert group.count == f"{MOST}+"
    assert len(re.findall(r"/connections/[-0-9a-f]{36}/", response.content.decode())) == 6
    all_of_them = developer_client.get(f"{ADDRESS}?q=zebra&kind=connections")
    assert len(re.findall(r"/connections/[-0-9a-f]{36}/", all_of_them.content.decode())) > MOST


def test_the_number_of_queries_does_not_grow(developer_client, connect, build):
    def queries() -> list[str]:
        with CaptureQueriesContext(database) as captured:
            found(developer_client, "row")
        return [query["sql"] for query in captured]

    connect(name="Row 0"), build("Row component 0")
    few = queries()
    for n in range(1, 70):
        connect(name=f"Row {n}")
    many = queries()
    assert len(many) == len(few) <= 26
    rows = [sql for sql in many if 'FROM "connections_connection"' in sql and "LIMIT" in sql]
    assert any(f"LIMIT {MOST + 1}" in sql for sql in rows)
