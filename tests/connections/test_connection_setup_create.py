"""The last button of the wizard: *Create and Authorize*."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from connections.setup.forms import LevelForm
from tests.connections.flow_steps import words_of
from tests.connections.wizard_answers import finish, name_form, url


@pytest.mark.parametrize(
    ("name", "link_name"),
    [
        ("Zoho CRM", "zoho_crm"),
        ("A & B: (test)", "a_b_test"),
        ("2nd line", "slack_2nd_line"),
        ("漢字", "slack"),
        ("***", "slack"),
        ("Ünï", "uni"),
    ],
)
def test_the_link_name_is_made_of_the_name(developer_client, start, name, link_name):
    draft = start("slack")
    developer_client.post(url(draft, "name"), name_form(draft, name=name))
    draft.refresh_from_db()
    finish(developer_client, draft)
    assert Connection.objects.get().link_name == link_name


def test_link_names_are_unique_in_an_application(developer_client, start):
    for name in ("A.B", "A B", "A/B"):
        draft = start("slack")
        developer_client.post(url(draft, "name"), name_form(draft, name=name))
        draft.refresh_from_db()
        finish(developer_client, draft)
    assert sorted(Connection.objects.values_list("link_name", flat=True)) == [
        "a_b",
        "a_b_2",
        "a_b_3",
    ]


def test_it_leads_to_the_question_that_is_not_answered(developer_client, start):
    draft = start("zoho_crm")
    Connection.objects.update(answered=["name", "level", "permissions"])
    response = developer_client.post(url(draft, "environments"), {"create": "1"})
    assert response.status_code == 422
    assert "Choose at least one permission" in words_of(response)
    assert url(draft, "permissions") in response.content.decode()
    assert Connection.objects.get().is_draft


ANSWERS = {
    "name": {},
    "level": {"level": "administrator"},
    "permissions": {"scopes": ["chat:write"]},
}


@pytest.mark.parametrize("skipped", ANSWERS)
def test_it_leads_to_the_question_that_was_skipped(developer_client, start, skipped):
    """The shown value is only a default, such as a level. Nobody has confirmed it."""
    draft = start("slack")
    Connection.objects.update(scopes=["chat:write"])
    for step, answer in ANSWERS.items():
        if step != skipped:
            form = name_form(draft) if step == "name" else answer
            assert developer_client.post(url(draft, step), form).status_code == 303

    response = developer_client.post(url(draft, "environments"), {"create": "1"})

    assert response.status_code == 422
    assert "is not confirmed yet. Check it and press Next." in words_of(response)
    assert url(draft, skipped) in response.content.decode()
    assert Connection.objects.get().is_draft

    form = name_form(draft) if skipped == "name" else ANSWERS[skipped]
    developer_client.post(url(draft, skipped), form)
    assert developer_client.post(url(draft, "environments")).status_code == 303
    assert not Connection.objects.get().is_draft


@pytest.mark.parametrize("step", ["level", "permissions"])
def test_going_back_answers_nothing(developer_client, start, step):
    draft = start("slack")
    developer_client.post(url(draft, step), {**ANSWERS[step], "back": "1"})
    assert Connection.objects.get().answered == []


def test_permissions_are_no_question_without_oauth_2(developer_client, start):
    draft = start("twilio")
    finish(developer_client, draft)
    assert Connection.objects.get().answered == ["name", "level", "environments"]


def test_it_notices_that_the_name_was_taken_meanwhile(developer_client, start, connect):
    draft = start("slack")
    connect("slack", name="Slack Connection")
    response = finish(developer_client, draft)
    assert response.status_code == 422
    assert "Slack Connection 2 is free" in words_of(response)
    assert url(draft, "name") in response.content.decode()


def test_creating_twice_makes_one_connection(developer_client, start):
    draft = start("slack")
    first = finish(developer_client, draft)

    second = developer_client.post(url(draft, "environments"), {"create": "1"})

    assert first["Location"] == reverse("connection_authorize", args=[draft.pk])
    assert (second.status_code, second.get("Location")) == (303, first["Location"])
    assert Connection.objects.get().link_name == "slack_connection"


@pytest.mark.django_db(transaction=True)
def test_creating_many_times_at_once_makes_one_connection(developer_client, start, at_once):
    draft = start("slack")
    Connection.objects.update(scopes=["chat:write"], answered=["name", "level", "permissions"])

    def create() -> int:
        client = Client()
        client.cookies = developer_client.cookies
        return client.post(url(draft, "environments"), {"create": "1"}).status_code

    answers = at_once(50, create)

    assert 303 in answers
    assert max(answers) < 500
    connection = Connection.objects.get()
    assert connection.status == "created"
    assert connection.link_name == "slack_connection"


def test_a_late_answer_does_not_make_a_connection_a_draft_again(developer_client, start):
    draft = start("slack")
    finish(developer_client, draft)
    for step in ("name", "level", "permissions", "environments"):
        developer_client.post(
            url(draft, step), name_form(draft, name="Late", level="administrator")
        )
    connection = Connection.objects.get()
    assert (connection.status, connection.name) == ("created", "Slack Connection")


def test_an_answer_that_crosses_the_creation_leaves_it_created(developer_client, start):
    draft = start("slack")
    late = LevelForm({"level": "administrator"}, instance=draft)
    assert late.is_valid()
    finish(developer_client, draft)

    late.save()

    assert Connection.objects.get().status == "created"
