from __future__ import annotations

import pytest
from django.urls import reverse

from console.choices import Role
from tests.connections.flow_steps import words_of

URL = reverse("home")


def test_it_works(developer_client, connect, grant):
    grant(connect(name="Leads"))
    page = words_of(developer_client.get(URL))
    assert "Leads" in page
    assert "Microservices" in page


def test_it_shows_the_three_newest_connections_and_no_drafts(developer_client, connect):
    for number in range(4):
        connect(name=f"Number {number}")
    connect("slack", name="A draft", status="draft")
    page = words_of(developer_client.get(URL))
    assert [f"Number {n}" in page for n in range(4)] == [False, True, True, True]
    assert "A draft" not in page


@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER])
def test_people_who_cannot_manage_connections_see_no_link_to_them(
    member, studio, signed_in, connect, role
):
    connect(name="Leads")
    page = signed_in(member(studio, role)).get(URL).content.decode()
    assert "Leads" not in page
    assert reverse("connection_list") not in page
    assert reverse("admin:index") not in page


def test_super_admins_and_operators_see_the_link_to_administration(
    super_admin, operator, signed_in
):
    for user in (super_admin, operator):
        assert reverse("admin:index") in signed_in(user).get(URL).content.decode()
