"""The order of the list of connections, and the pages of *Authorized*."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from connections.setup.connection_filters import PAGE_SIZE
from tests.connections.test_connection_list import link, names

ADDRESS = reverse("connection_list")
LETTERS = ["apple", "Banana", "cherry", "Date"]


def sorted_by(response) -> dict[str, str]:
    """Return the heads with a direction."""
    heads = re.findall(r'<th scope="col" class="cell-(\w+)" aria-sort="(\w+)"', page(response))
    return dict(heads)


def page(response) -> str:
    return response.content.decode()


def all_pages(client, address: str) -> list[list[str]]:
    """Return the names on each page, forwards; fail if backwards is different."""
    pages, response = [], client.get(address)
    while True:
        pages.append(names(response))
        if (further := link(response, "next")) is None:
            break
        response = client.get(further)
    back = [names(response)]
    while earlier := link(response, "prev"):
        response = client.get(earlier)
        back.append(names(response))
    assert back == pages[::-1]
    return pages


@pytest.fixture
def fruit(connect) -> None:
    for name in ("cherry", "apple", "Date", "Banana"):
        connect(name=name)


@pytest.mark.parametrize(
    ("order", "found", "direction"),
    [
        ("name", LETTERS, {"name": "ascending"}),
        ("-name", LETTERS[::-1], {"name": "descending"}),
        ("created", ["cherry", "apple", "Date", "Banana"], {"created": "ascending"}),
        ("-created", ["Banana", "Date", "apple", "cherry"], {"created": "descending"}),
        ("nonsense", ["Banana", "Date", "apple", "cherry"], {"created": "descending"}),
        ("state", ["Banana", "Date", "apple", "cherry"], {"created": "descending"}),
        ("%00", ["Banana", "Date", "apple", "cherry"], {"created": "descending"}),
    ],
)
def test_it_is_sorted_by_a_column(developer_client, fruit, order, found, direction):
    response = developer_client.get(f"{ADDRESS}?sort={order}")
    assert names(response) == found
    assert sorted_by(response) == direction


def test_a_head_turns_the_order_around_and_keeps_the_filters(developer_client, fruit):
    first = page(developer_client.get(f"{ADDRESS}?q=a&before=x"))
    assert 'href="?q=a&amp;sort=name"' in first
    assert 'href="?q=a&amp;sort=created"' in first
    second = page(developer_client.get(f"{ADDRESS}?q=a&sort=name"))
    assert 'href="?q=a&amp;sort=-name"' in second
    assert 'name="sort" value="name"' in second


@pytest.mark.parametrize("order", ["name", "-name"])
def test_pages_by_name_lead_to_every_row_and_back(developer_client, connect, order):
    made = sorted(connect(name=f"Row {n:02}").name for n in range(2 * PAGE_SIZE + 3))
    pages = all_pages(developer_client, f"{ADDRESS}?sort={order}")
    expected = made if order == "name" else made[::-1]
    assert [len(found) for found in pages] == [PAGE_SIZE, PAGE_SIZE, 3]
    assert list(chain(*pages)) == expected


@pytest.mark.parametrize("order", ["", "&sort=name"])
def test_authorized_fills_its_pages_past_rows_that_lack_permissions(
    developer_client, connect, grant, order
):
    """Permissions are compared a batch at a time; the batches grow until the page is full."""
    good = []
    for n in range(130):
        connection = connect(name=f"Row {n:03}")
        if n % 5:
            grant(connection, scopes_granted=[])
        else:
            grant(connection)
            good.append(connection.name)
    pages = all_pages(developer_client, f"{ADDRESS}?status=active{order}")
    assert list(chain(*pages)) == (good if order else good[::-1])
    assert [len(found) for found in pages] == [PAGE_SIZE, len(good) - PAGE_SIZE]


@pytest.mark.parametrize("status", ["active", "expiring"])
def test_these_filters_compare_the_permissions_of_few_rows(
    developer_client, connect, grant, status
):
    for _ in range(3):
        grant(connect())
    Connection.objects.update(created_at=timezone.now())
    with CaptureQueriesContext(database) as captured:
        developer_client.get(f"{ADDRESS}?status={status}")
    comparisons = [q["sql"] for q in captured if "DISTINCT" in q["sql"] and "scopes" in q["sql"]]
    assert len(comparisons) == 1
    narrowed = '"connection_id" IN (' if status == "active" else '"ends_at" <= '
    assert narrowed in comparisons[0]


def test_an_index_has_the_names(application, connect):
    """Without the index, each page would sort all connections."""
    with database.cursor() as cursor:
        found = database.introspection.get_constraints(cursor, Connection._meta.db_table)
    assert "connection_by_name" in found
