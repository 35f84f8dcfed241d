"""A client sees what was called in its name, and nobody else does."""

from __future__ import annotations

import pytest
from django.urls import reverse

from console.choices import Environment, Level
from tests.connections.flow_steps import words_of


@pytest.fixture
def row(connect, install, client_organization):
    return install(connect(), client_organization, level=Level.LOGGED_IN_USER)


@pytest.fixture
def address(row) -> str:
    return reverse("installed_calls", args=[row.pk])


@pytest.fixture
def called(row, log, client_organization):
    production = Environment.PRODUCTION
    log(
        row.connection, path="/ours", organization_id=client_organization.pk, environment=production
    )
    log(row.connection, path="/developers")


@pytest.mark.parametrize("role", ["super_admin", "admin", "developer"])
def test_who_authorizes_for_everybody_sees_the_calls_in_production(
    signed_in, client_people, address, called, role
):
    page = signed_in(client_people[role]).get(address)
    assert [each.path for each in page.context["page"].rows] == ["/ours"]
    assert page.context["plot"].calls == 1
    assert "in Production" in words_of(page)
    assert "environment" not in page.context["form"].fields


def test_a_user_does_not_see_what_others_call(signed_in, client_people, row, address, called):
    client = signed_in(client_people["user"])
    assert client.get(address).status_code == 404
    assert (
        address not in client.get(reverse("installed_connection", args=[row.pk])).content.decode()
    )


def test_neither_do_those_who_have_built_it(developer_client, row, address, called):
    assert developer_client.get(address).status_code == 404
    at_home = developer_client.get(reverse("connection_calls", args=[row.connection_id]))
    assert [each.path for each in at_home.context["page"].rows] == ["/developers"]


def test_the_page_about_the_connection_leads_there(signed_in, client_people, row, address):
    page = signed_in(client_people["admin"]).get(reverse("installed_connection", args=[row.pk]))
    assert address in page.content.decode()
