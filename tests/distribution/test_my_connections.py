"""List the connections that a person authorizes with their own account."""

from __future__ import annotations

from django.urls import reverse

from tests.distribution.page_text import text


def test_it_lists_only_personal_connections(installed, signed_in, person, crm, mailbox):
    place = reverse("my_connections", args=[installed().pk])
    page = text(signed_in(person).get(place))
    assert "Mailbox" in page
    assert "CRM" not in page
