"""Show an installed application and the connections to authorize."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.urls import reverse

from tests.distribution.page_text import text


def test_it_shows_each_person_what_they_have_to_authorize(
    installed, signed_in, boss, person, crm, mailbox, authorized, rows_of
):
    place = reverse("installation_detail", args=[installed().pk])
    page = text(signed_in(boss).get(place))
    assert "2 for you to authorize" in page
    assert "0 of 2 have done so" in page
    authorized(mailbox, person, own=True)
    page = text(signed_in(boss).get(place))
    assert "1 of 2 has done so" in page
    assert f"account of {person.email}" not in page
    rows = rows_of()
    mine = text(signed_in(person).get(place))
    assert "Waiting for an administrator" in mine
    assert f"account of {person.email}" in mine
    assert str(rows["mailbox"].pk) in mine
    assert str(rows["crm"].pk) not in mine
    authorized(crm, boss)
    assert "Works" in text(signed_in(person).get(place))
    assert f"account of {boss.email}" not in text(signed_in(person).get(place))


def test_what_a_person_has_to_authorize_comes_before_what_they_can_run(
    installed, signed_in, boss, crm, mailbox, authorized
):
    place = reverse("installation_detail", args=[installed().pk])
    client = signed_in(boss)
    assert _headings(client.get(place))[:2] == ["Connections", "Run"]
    authorized(crm, boss)
    authorized(mailbox, boss, own=True)
    assert _headings(client.get(place))[:2] == ["Run", "Connections"]


def _headings(response: HttpResponse) -> list[str]:
    return re.findall(r"<h2[^>]*>([^<]+)</h2>", response.content.decode())
