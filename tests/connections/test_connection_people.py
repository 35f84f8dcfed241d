from __future__ import annotations

import pytest
from django.urls import reverse

from connections.authorizations import revoking
from connections.models import Authorization
from console.accounts.authority import NotAllowed
from console.accounts.policy import Action
from console.audit.models import Event
from console.choices import Level, Role
from tests.connections.flow_steps import words_of


@pytest.fixture
def calendar(connect):
    return connect(name="Calendar", level=Level.LOGGED_IN_USER)


def people_page(client, connection, **query):
    return client.get(reverse("connection_people", args=[connection.pk]), query)


def test_it_lists_and_finds_people(developer_client, calendar, grant, member, studio):
    for number in range(21):
        person = member(studio, Role.USER, f"person{number:02}@studio.example")
        grant(calendar, user=person, label=f"account{number}")
    first = people_page(developer_client, calendar)
    assert len(first.context["page"].rows) == 20
    rest = developer_client.get(first.wsgi_request.path + first.context["page"].next)
    assert len(rest.context["page"].rows) == 1
    found = people_page(developer_client, calendar, q="PERSON07").context["page"].rows
    assert [row.user.email for row in found] == ["person07@studio.example"]
    assert people_page(developer_client, calendar, q="account20").context["page"].rows
    assert "Nobody found" in words_of(people_page(developer_client, calendar, q="nul\0x"))
    assert "21 authorizations of your people" in words_of(
        developer_client.get(calendar.get_absolute_url())
    )


def test_an_administrator_connection_has_no_list(developer_client, connect):
    assert people_page(developer_client, connect()).status_code == 404


def test_developers_see_no_button(developer_client, calendar, grant, super_admin):
    authorization = grant(calendar, user=super_admin)
    page = people_page(developer_client, calendar)
    revoke = reverse("authorization_revoke_for", args=[authorization.pk])
    assert revoke not in page.content.decode()
    assert developer_client.post(revoke).status_code == 404
    assert Authorization.objects.get().credential


def test_super_admins_revoke_for_others(signed_in, super_admin, developer, calendar, grant):
    authorization = grant(calendar, user=developer)
    client = signed_in(super_admin)
    revoke = reverse("authorization_revoke_for", args=[authorization.pk])
    assert revoke in people_page(client, calendar).content.decode()
    assert f"for {developer}?" in words_of(client.get(revoke))
    response = client.post(revoke, follow=True)
    assert f"no longer authorized for {developer}" in words_of(response)
    authorization.refresh_from_db()
    assert (authorization.state, authorization.credential) == ("revoked", None)
    event = Event.objects.get(action="authorization.revoked")
    assert event.details["person"] == str(developer)


def test_shared_authorizations_are_not_revoked_this_way(signed_in, super_admin, connect, grant):
    authorization = grant(connect())
    revoke = reverse("authorization_revoke_for", args=[authorization.pk])
    assert signed_in(super_admin).post(revoke).status_code == 404


def test_the_permission_is_checked_again_in_the_transaction(calendar, grant, developer, stranger):
    authorization = grant(calendar, user=developer)
    with pytest.raises(NotAllowed):
        revoking.revoke(authorization, stranger, action=Action.MANAGE_PEOPLE)
    authorization.refresh_from_db()
    assert authorization.credential
