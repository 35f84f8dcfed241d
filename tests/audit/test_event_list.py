from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from console.audit.actions import AuditAction
from console.audit.event_filters import PAGE_SIZE
from console.audit.log import AuditEntry, Subject, record, record_all
from console.components import saving
from tests.connections.flow_steps import words_of

LIST = reverse("event_list")


@pytest.fixture
def happen(studio, developer):
    """Record something that the developer did."""

    def do(
        action: AuditAction = AuditAction.CONNECTION_DELETED,
        label: str = "Messages",
        actor=developer,
        **more,
    ):
        home = more.pop("home", studio)
        kind = more.pop("type", action.partition(".")[0])
        with transaction.atomic():
            record(
                action, home, actor, Subject(type=kind, id=f"id of {label}", label=label), **more
            )

    return do


@pytest.fixture
def see(signed_in, super_admin):
    """Return what a person reads on the page."""

    def look(user=super_admin, **query) -> str:
        response = signed_in(user).get(f"{LIST}?{urlencode(query)}")
        assert response.status_code == 200
        return words_of(response)

    return look


def test_it_works(see, connect, build, developer):
    component = build("Find people", connect(name="People"))
    saving.delete(component, developer)
    words = see()
    assert "developer@studio.example created the function Find people in Field Service" in words
    assert "developer@studio.example deleted the function Find people from Field Service" in words
    assert words.index("deleted the function") < words.index("created the function")


def test_it_has_a_door(signed_in, super_admin, developer, member, studio):
    for user in (super_admin, developer, member(studio, "admin")):
        assert f'href="{LIST}"' in signed_in(user).get(reverse("home")).content.decode()
    user = member(studio, "user")
    assert f'href="{LIST}"' not in signed_in(user).get(reverse("home")).content.decode()


def test_nothing_yet(see):
    assert "Nothing has happened yet" in see()


def test_it_shows_nothing_of_other_organizations(see, happen, stranger_organization):
    happen(home=stranger_organization, label="Their secret plan")
    happen(home=None, label="The deployment's")
    assert "Nothing has happened yet" in see()
    assert "Their secret plan" not in see(object="Their")
    assert "No matching events" in see(object="id of Their secret plan")


@pytest.mark.parametrize("role", ["super_admin", "admin"])
def test_who_looks_after_people_sees_everything(see, happen, member, studio, role):
    happen(AuditAction.USER_SIGNED_IN, type="user")
    happen(AuditAction.OAUTH_CLIENT_CHANGED, "Slack")
    happen()
    words = see(member(studio, role, f"second.{role}@studio.example"))
    assert "signed in" in words
    assert "changed the OAuth client Slack" in words
    assert "deleted the connection" in words


def test_a_developer_sees_what_he_works_on(see, happen, developer):
    happen(AuditAction.USER_SIGNED_IN, type="user")
    happen(AuditAction.MEMBERSHIP_CHANGED, "somebody@studio.example", role="admin")
    happen(AuditAction.OAUTH_CLIENT_CHANGED, "Slack")
    happen(AuditAction.AUTHORIZATION_REVOKED, type="connection", environments=["all"])
    words = see(developer)
    assert "revoked the authorization of Messages in Development and Stage" in words
    for hidden in ("signed in", "somebody@studio.example", "OAuth client", "Account: "):
        assert hidden not in words


def test_the_operator_sees_the_deployment(see, happen, operator):
    happen(home=None, label="Theirs")
    happen(label="Of the studio")
    words = see(operator)
    assert "Theirs" in words
    assert "Of the studio" not in words


def test_every_filter_narrows(see, happen, super_admin):
    happen(label="Messages")
    happen(AuditAction.CONNECTION_RENAMED, "People", was="Persons", actor=super_admin)
    for query in (
        {"who": "super_admin@"},
        {"what": "connection.renamed"},
        {"object": "peop"},
        {"who": "super", "what": "connection.renamed", "object": "People"},
    ):
        words = see(**query)
        assert "renamed the connection Persons to People" in words, query
        assert "deleted the connection Messages" not in words, query


def test_days_narrow(see, happen):
    happen()
    today = timezone.localdate()
    tomorrow, yesterday = today + timedelta(days=1), today - timedelta(days=1)
    assert "Messages" in see(**{"from": today, "to": today})
    assert "No matching events" in see(**{"from": tomorrow})
    assert "No matching events" in see(to=yesterday)


def test_what_makes_no_sense_narrows_nothing(see, happen):
    happen()
    nonsense = {"from": "x", "to": "9999-99-99", "what": "no.such", "before": "x", "after": "_"}
    assert "deleted the connection Messages" in see(**nonsense)
    assert "deleted the connection Messages" in see(to="9999-12-31")


def test_each_filter_can_be_taken_away(signed_in, super_admin, happen):
    happen()
    page = signed_in(super_admin).get(f"{LIST}?what=connection.deleted&who=dev").content.decode()
    assert 'aria-label="Remove the filter Who: dev"' in page
    assert 'href="?what=connection.deleted"' in page
    assert 'aria-label="Remove the filter What: Connection: deleted"' in page


def test_all_about_one_object(see, connect, developer, build):
    component = build("Find people")
    build("Other")
    words = see(object=component.pk)
    assert "Object: Find people" in words
    assert "Other in" not in words


def test_pages_follow_each_other(signed_in, super_admin, studio):
    with transaction.atomic():
        record_all(
            studio,
            None,
            [
                AuditEntry(
                    action=AuditAction.CONNECTION_DELETED,
                    subject=Subject(type="connection", id=str(n), label=f"N{n:03}"),
                )
                for n in range(2 * PAGE_SIZE + 5)
            ],
        )
    client = signed_in(super_admin)
    pages = [client.get(LIST).context["page"]]
    while pages[-1].next:
        pages.append(client.get(LIST + pages[-1].next).context["page"])
    labels = [event.object_label for page in pages for event in page.rows]
    assert labels == [f"N{n:03}" for n in reversed(range(2 * PAGE_SIZE + 5))]
    assert [len(page.rows) for page in pages] == [PAGE_SIZE, PAGE_SIZE, 5]
    back = client.get(LIST + pages[-1].previous).context["page"]
    assert back.rows == pages[1].rows


def test_htmx_gets_the_table_alone(signed_in, super_admin, happen):
    happen()
    headers = {"HX-Request": "true", "HX-Target": "table"}
    page = signed_in(super_admin).get(LIST, headers=headers).content.decode()
    assert "<html" not in page
    assert "deleted the connection Messages" in page


def test_it_shows_what_somebody_typed_as_text(see, signed_in, super_admin, happen):
    happen(label="<script>alert(1)</script>", note="<b>bold</b>")
    page = signed_in(super_admin).get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


def test_it_asks_as_often_for_many(signed_in, super_admin, happen, django_assert_max_num_queries):
    for number in range(25):
        happen(label=f"N {number}")
    client = signed_in(super_admin)
    with django_assert_max_num_queries(6):
        client.get(LIST)
