from __future__ import annotations

import re
import uuid
from datetime import timedelta
from html import unescape
from urllib.parse import urljoin

import pytest
from django import forms
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from pytest_django.asserts import assertHTMLEqual

from connections.models import Authorization, Connection, Credential
from connections.setup.connection_filters import PAGE_SIZE
from console.accounts.models import Membership
from console.applications.models import Application
from console.choices import Level, Role
from console.filters import FlatSelect
from tests.connections.flow_steps import words_of

ADDRESS = reverse("connection_list")


def names(response) -> list[str]:
    """Return the connections that a page shows, in its order."""
    found = re.findall(r'class="connection-name"[^>]*>([^<]*)<', response.content.decode())
    return [unescape(name) for name in found]


def link(response, rel: str) -> str | None:
    """Return where a button of the pager leads."""
    found = re.search(rf'href="([^"]*)" rel="{rel}"', response.content.decode())
    return urljoin(ADDRESS, unescape(found[1])) if found else None


def fill(connect, number: int, **fields) -> list[Connection]:
    """Make connections, each a minute older than the one before."""
    made = [connect(name=f"Number {n:03}", **fields) for n in range(number)]
    for place, row in enumerate(made):
        moment = timezone.now() - timedelta(minutes=place)
        Connection.objects.filter(pk=row.pk).update(created_at=moment)
    return made


def test_it_works(developer_client, connect, grant):
    grant(connect(name="Leads"))
    response = developer_client.get(ADDRESS)
    assert names(response) == ["Leads"]
    page = words_of(response)
    assert "Sandbox" in page
    assert "Field Service" in page
    assert "alice@example.com" in page


def test_without_connections_it_offers_the_first(developer_client):
    assert "No connections yet" in words_of(developer_client.get(ADDRESS))


def test_it_shows_nothing_of_strangers(connect, signed_in, stranger):
    connect(name="Secret plan")
    assert names(signed_in(stranger).get(ADDRESS)) == []


def test_it_hides_the_drafts_and_accounts_of_colleagues(
    developer_client, connect, grant, member, studio
):
    colleague = member(studio, Role.DEVELOPER, "colleague@studio.example")
    connect(name="Their draft", status="draft", created_by=colleague)
    connect(name="My draft", status="draft", link_name="")
    shared = connect(name="Personal", level=Level.LOGGED_IN_USER)
    grant(shared, user=colleague, label="colleague@sandbox.example")
    response = developer_client.get(ADDRESS)
    assert set(names(response)) == {"My draft", "Personal"}
    assert "colleague@sandbox.example" not in words_of(response)


# Filters

OTHERS = {"Revoked", "Lost", "Narrow", "Ends", "Over"}


@pytest.fixture
def some(connect, grant, studio) -> None:
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    grant(connect(name="Alpha"))
    connect("slack", name="Beta")
    grant(connect("slack", name="Gamma", application=other))
    half = connect(name="Half", separate_environments=True)
    grant(half, "stage")
    both = connect(name="Both", separate_environments=True)
    grant(both, "stage")
    grant(both, "development")
    connect("twilio", name="Draft of Twilio", status="draft", link_name="")
    for name, state in (("Revoked", "revoked"), ("Lost", "unknown_outcome")):
        Authorization.objects.filter(pk=grant(connect(name=name)).pk).update(state=state)
    grant(connect(name="Narrow"), scopes_granted=[])
    soon = timezone.now() + timedelta(days=2)
    grant(connect(name="Ends"), ends_at=soon)
    grant(connect(name="Over"), ends_at=timezone.now() - timedelta(days=1))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Alpha", "Beta", "Gamma", "Half", "Both", "Draft of Twilio", *OTHERS}),
        ("q=ALPH", {"Alpha"}),
        ("q=slack", {"Beta", "Gamma"}),
        ("q=zeppelin", {"Gamma"}),
        ("q=zeppelin+slack", {"Gamma"}),
        ("q=zeppelin+alpha", set()),
        ("q=%25", set()),
        ("connector=slack", {"Beta", "Gamma"}),
        ("application=zeppelin", {"Gamma"}),
        ("status=active", {"Alpha", "Gamma", "Both"}),
        ("status=needs_authorization", {"Beta", "Half", "Over"}),
        ("status=draft", {"Draft of Twilio"}),
        ("status=revoked", {"Revoked"}),
        ("status=suspended", set()),
        ("status=unknown_outcome", {"Lost"}),
        ("status=permissions_missing", {"Narrow"}),
        ("status=expiring", {"Ends"}),
        ("status=active&connector=slack", {"Gamma"}),
        ("status=needs_authorization&connector=slack&application=field_service&q=bet", {"Beta"}),
        ("status=active&connector=slack&application=field_service", set()),
    ],
)
def test_filters_combine(developer_client, some, query, found):
    assert set(names(developer_client.get(f"{ADDRESS}?{query}"))) == found


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "q=" + "x" * 101,
        "status=nonsense",
        "connector=nonsense",
        "connector=%00",
        "application=nonsense",
        "application=%00",
    ],
)
def test_a_filter_that_makes_no_sense_is_left_out_of_account(developer_client, some, query):
    response = developer_client.get(f"{ADDRESS}?{query}")
    assert response.status_code == 200
    assert len(names(response)) == 6 + len(OTHERS)


def test_two_applications_of_two_organizations_may_have_one_link_name(
    developer_client, developer, connect, stranger_organization
):
    Membership.objects.create(
        user=developer, organization=stranger_organization, role=Role.DEVELOPER
    )
    other = Application.objects.create(
        organization=stranger_organization, name="Other", link_name="field_service"
    )
    connect(name="Here")
    connect(name="There", application=other)
    for slug, name in (("studio", "Here"), ("elsewhere", "There")):
        response = developer_client.get(f"/o/{slug}{ADDRESS}?application=field_service")
        assert response.status_code == 200
        assert names(response) == [name]


def test_its_selects_are_what_django_would_write(developer_client):
    page = developer_client.get(ADDRESS).content.decode()
    assert len(re.findall(r'<select[^>]+class="form-select"', page)) == 3
    choices = [("", "Any"), ("a&b", "A <b>"), (1, "One")]
    ours, theirs = (
        kind(attrs={"class": "x", "required": True}, choices=choices).render("n", "a&b")
        for kind in (FlatSelect, forms.Select)
    )
    assertHTMLEqual(ours, theirs)


def test_each_tag_takes_its_own_filter_away(developer_client, some):
    response = developer_client.get(
        f"{ADDRESS}?status=active&connector=slack&q=gam&before=2026-01-01"
    )
    tags = {tag.name: tag.query for tag in response.context["tags"]}
    assert tags == {
        "Status": "connector=slack&q=gam",
        "Connector": "status=active&q=gam",
        "Search": "status=active&connector=slack",
    }
    assert 'href="?status=active&amp;connector=slack"' in response.content.decode()


@pytest.mark.parametrize("query", ["nothing-like-it", "%ED%A0%80", "%5C", "%27%22%3B--"])
def test_nothing_found_says_so(developer_client, some, query):
    page = words_of(developer_client.get(f"{ADDRESS}?q={query}"))
    assert "No connections found" in page


def test_htmx_gets_the_table_alone(developer_client, some):
    headers = {"HX-Request": "true", "HX-Target": "table"}
    response = developer_client.get(ADDRESS, headers=headers)
    assert b"<html" not in response.content
    assert len(names(response)) == 6 + len(OTHERS)


# Pages


def test_the_pages_lead_to_every_row_and_back(developer_client, connect):
    made = [row.name for row in fill(connect, 60)]
    pages, response = [], developer_client.get(ADDRESS)
    assert link(response, "prev") is None
    while True:
        pages.append(names(response))
        older = link(response, "next")
        if older is None:
            break
        response = developer_client.get(older)
    assert pages == [made[:20], made[20:40], made[40:]]

    back = [names(response)]
    while newer := link(response, "prev"):
        response = developer_client.get(newer)
        back.append(names(response))
    assert back == pages[::-1]


def test_filters_stay_while_turning_pages(developer_client, connect):
    fill(connect, 30)
    fill(lambda name, **fields: connect("slack", name=f"Slack {name}"), 30)
    response = developer_client.get(f"{ADDRESS}?connector=slack")
    older = link(response, "next")
    assert older is not None
    found = names(developer_client.get(older))
    assert len(found) == 30 - PAGE_SIZE
    assert all(name.startswith("Slack") for name in found)


def test_rows_of_the_same_moment_are_neither_lost_nor_repeated(developer_client, connect):
    fill(connect, 60)
    Connection.objects.update(created_at=timezone.now())
    seen, response = [], developer_client.get(ADDRESS)
    while True:
        seen += names(response)
        older = link(response, "next")
        if older is None:
            break
        response = developer_client.get(older)
    assert len(seen) == len(set(seen)) == 60


@pytest.mark.parametrize("direction", ["before", "after"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "_",
        "%00",
        f"2026-13-45T00:00:00Z_{uuid.UUID(int=1)}",
        f"2026-01-01T00:00:00_{uuid.UUID(int=1)}",
        "2026-01-01T00:00:00Z_nonsense",
        f"0001-01-01T00:00:00%2B14:00_{uuid.UUID(int=1)}",
        f"9999-12-31T23:59:59-14:00_{uuid.UUID(int=1)}",
        "2026-01-01T00:00:00Z_" + "a" * 5000,
    ],
)
def test_a_cursor_that_was_tampered_with_does_not_break_it(
    developer_client, connect, direction, cursor
):
    connect()
    assert developer_client.get(f"{ADDRESS}?{direction}={cursor}").status_code == 200


# Queries

LIMIT = 15
#: Home collects what waits in all rooms.
LIMIT_OF_HOME = 20


def grow(application, developer, number: int) -> None:
    """Add connections with an authorization each, past the views for the sake of time."""
    organization = application.organization
    made = Connection.objects.bulk_create(
        Connection(
            application=application,
            connector_slug="sandbox_basic",
            auth_type="basic",
            name=f"Row {uuid.uuid4().hex[:12]}",
            link_name=f"row_{uuid.uuid4().hex[:12]}",
            status="created",
            created_by=developer,
        )
        for _ in range(number)
    )
    credentials = Credential.objects.bulk_create(
        Credential(
            organization=organization,
            connector_slug="sandbox_basic",
            auth_type="basic",
            label="alice",
            secret={"username": "alice"},
        )
        for _ in made
    )
    Authorization.objects.bulk_create(
        Authorization(
            connection=connection,
            organization=organization,
            environment="all",
            credential=credential,
        )
        for connection, credential in zip(made, credentials, strict=True)
    )


def queries(client, address: str) -> int:
    with CaptureQueriesContext(database) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow(developer_client, application, developer):
    grow(application, developer, 10)
    one = Connection.objects.first()
    addresses = [
        ADDRESS,
        f"{ADDRESS}?status=active&q=row&connector=sandbox_basic",
        reverse("home"),
        reverse("application_list"),
        application.get_absolute_url(),
        reverse("connector_list"),
        one.get_absolute_url(),
        reverse("connection_authorize", args=[one.pk]),
        reverse("connection_delete", args=[one.pk]),
        reverse("authorization_revoke", args=[one.authorizations.get().pk]),
    ]
    few = {address: queries(developer_client, address) for address in addresses}
    grow(application, developer, 290)
    many = {address: queries(developer_client, address) for address in addresses}

    assert many == few
    assert few.pop(reverse("home")) <= LIMIT_OF_HOME
    assert max(few.values()) <= LIMIT, few
