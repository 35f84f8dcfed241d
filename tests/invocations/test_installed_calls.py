"""Only the client sees the Production calls of its installed connections."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.choices import Environment, Level
from tests.connections.flow_steps import words_of


@pytest.fixture
def row(connect, install, client_organization):
    return install(connect(), client_organization, level=Level.LOGGED_IN_USER)


@pytest.fixture
def url(row) -> str:
    return reverse("installed_calls", args=[row.pk])


@pytest.fixture
def called(row, log, client_organization):
    production = Environment.PRODUCTION
    log(
        row.connection, path="/ours", organization_id=client_organization.pk, environment=production
    )
    log(row.connection, path="/developers")


@pytest.mark.parametrize("role", ["super_admin", "admin", "developer"])
def test_people_who_authorize_shared_connections_see_production_calls(
    signed_in, client_people, url, called, role
):
    page = signed_in(client_people[role]).get(url)
    assert [each.path for each in page.context["page"].rows] == ["/ours"]
    assert page.context["chart"].calls == 1
    assert "in Production" in words_of(page)
    assert "environment" not in page.context["form"].fields


def test_users_do_not_see_the_calls(signed_in, client_people, row, url, called):
    client = signed_in(client_people["user"])
    assert client.get(url).status_code == 404
    assert url not in client.get(reverse("installed_connection", args=[row.pk])).content.decode()


def test_the_developers_do_not_see_the_calls_of_clients(developer_client, row, url, called):
    assert developer_client.get(url).status_code == 404
    at_home = developer_client.get(reverse("connection_calls", args=[row.connection_id]))
    assert [each.path for each in at_home.context["page"].rows] == ["/developers"]


def test_the_installed_connection_page_links_to_it(signed_in, client_people, row, url):
    page = signed_in(client_people["admin"]).get(reverse("installed_connection", args=[row.pk]))
    assert url in page.content.decode()
