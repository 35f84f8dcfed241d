from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from connections.forms import LevelForm
from connections.models import Connection
from connections.models.connection import Level
from console.applications.models import Application
from tests.connections.flowing import words_of


@pytest.fixture
def start(developer_client) -> Callable[[str], Connection]:
    """Choose a card of the gallery."""

    def press(slug: str) -> Connection:
        developer_client.post(reverse("draft_start", args=[slug]))
        return Connection.objects.drafts().get(connector_slug=slug)

    return press


def url(draft: Connection, step: str) -> str:
    return reverse("connection_setup", args=[draft.pk, step])


def name_form(draft: Connection, **changed: str) -> dict[str, str]:
    parameters = {f"parameter_{name}": value for name, value in draft.parameters.items()}
    form = {"name": draft.name, "application": str(draft.application_id), **parameters}
    if len(draft.connector.auth_types) > 1:
        form["auth_type"] = draft.auth_type
    return form | changed


def finish(client: Client, draft: Connection, scopes: list[str] | None = None):
    """Answer every question and press *Create and Authorize*."""
    client.post(url(draft, "name"), name_form(draft))
    client.post(url(draft, "level"), {"level": "administrator"})
    if draft.auth_type == "oauth2":
        client.post(
            url(draft, "permissions"), {"scopes": scopes} if scopes else {"all_actions": "on"}
        )
    return client.post(url(draft, "environments"), {"create": "1"})


def test_it_works(developer_client, start):
    draft = start("slack")
    steps = [
        ("name", name_form(draft, name="Announcements"), "level"),
        ("level", {"level": "administrator"}, "permissions"),
        ("permissions", {"scopes": ["chat:write", "channels:read"]}, "environments"),
    ]
    for step, form, following in steps:
        assert developer_client.get(url(draft, step)).status_code == 200
        response = developer_client.post(url(draft, step), form)
        assert response.status_code == 303
        assert response["Location"] == url(draft, following)
    response = developer_client.post(url(draft, "environments"), {"separate_environments": "on"})

    connection = Connection.objects.get()
    assert response["Location"] == reverse("connection_authorize", args=[connection.pk])
    assert connection.status == "created"
    assert (connection.name, connection.link_name) == ("Announcements", "announcements")
    assert connection.scopes == ["chat:write", "channels:read"]
    assert connection.separate_environments


def test_the_row_is_the_state(developer_client, start, signed_in, developer):
    draft = start("zoho_crm")
    developer_client.post(url(draft, "name"), name_form(draft, name="Leads"))
    developer_client.post(url(draft, "level"), {"level": Level.LOGGED_IN_USER})

    for client in (developer_client, signed_in(developer)):
        assert 'value="Leads"' in client.get(url(draft, "name")).content.decode()
        level = client.get(url(draft, "level")).context["form"]["level"].value()
        assert level == Level.LOGGED_IN_USER


def test_going_back_keeps_what_was_answered(developer_client, start):
    draft = start("zoho_crm")
    response = developer_client.post(
        url(draft, "permissions"), {"scopes": ["ZohoCRM.modules.leads.READ"], "back": "1"}
    )
    assert response["Location"] == url(draft, "level")
    draft.refresh_from_db()
    assert draft.scopes == ["ZohoCRM.modules.leads.READ"]


def test_going_back_needs_no_answer(developer_client, start):
    draft = start("zoho_crm")
    response = developer_client.post(url(draft, "permissions"), {"back": "1"})
    assert response["Location"] == url(draft, "level")


@pytest.mark.parametrize(
    "name", ["x" * 51, "", "   ", "semi;colon", "<b>", "nul\0", "line\nbreak", "quote'", "emoji 🙂"]
)
def test_it_refuses_a_bad_name(developer_client, start, name):
    draft = start("slack")
    response = developer_client.post(url(draft, "name"), name_form(draft, name=name))
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"name"}
    draft.refresh_from_db()
    assert draft.name == "Slack Connection"


@pytest.mark.parametrize("name", ["x" * 50, r"A & B @ C! : - _ \ | / ~ * . ( )", "Ünïcode 漢字"])
def test_it_takes_a_good_name(developer_client, start, name):
    draft = start("slack")
    assert developer_client.post(url(draft, "name"), name_form(draft, name=name)).status_code == 303
    draft.refresh_from_db()
    assert draft.name == name


def test_it_refuses_a_taken_name(developer_client, start, connect):
    connect("slack", name="Alerts")
    draft = start("slack")
    response = developer_client.post(url(draft, "name"), name_form(draft, name="ALERTS"))
    assert response.status_code == 422
    assert "already has a connection named ALERTS" in words_of(response)


def test_it_takes_a_name_that_another_application_has(developer_client, start, connect, studio):
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    connect("slack", name="Alerts", application=other)
    draft = start("slack")
    response = developer_client.post(url(draft, "name"), name_form(draft, name="Alerts"))
    assert response.status_code == 303


def test_it_refuses_an_application_of_strangers(developer_client, start, stranger_organization):
    theirs = Application.objects.create(
        organization=stranger_organization, name="Theirs", link_name="theirs"
    )
    draft = start("slack")
    form = name_form(draft, application=str(theirs.pk))
    assert developer_client.post(url(draft, "name"), form).status_code == 422
    draft.refresh_from_db()
    assert draft.application != theirs


def test_it_does_not_move_onto_another_draft(developer_client, start, studio, connect):
    other = Application.objects.create(organization=studio, name="Zeppelin", link_name="zeppelin")
    draft = start("slack")
    connect("slack", status="draft", link_name="", application=other)
    form = name_form(draft, application=str(other.pk))
    response = developer_client.post(url(draft, "name"), form)
    assert response.status_code == 422
    assert "another draft" in words_of(response)


@pytest.mark.parametrize("slug", ["rabbitmq_management", "jupyterhub"])
@pytest.mark.parametrize(
    "host",
    [
        "",
        "https://hub.example.com",
        "hub.example.com/path",
        "user@hub.example.com",
        "hub.example.com#",
        "hub example",
        "hub.example.com:1:2",
        "HUB\n",
        "[::1]",
        "a" * 300,
    ],
)
def test_it_refuses_what_is_no_host(developer_client, start, slug, host):
    draft = start(slug)
    form = name_form(draft, parameter_host=host)
    response = developer_client.post(url(draft, "name"), form)
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"parameter_host"}


@pytest.mark.parametrize("slug", ["rabbitmq_management", "jupyterhub"])
def test_it_keeps_a_host(developer_client, start, slug):
    draft = start(slug)
    form = name_form(draft, parameter_host="hub.example.com:8443")
    assert developer_client.post(url(draft, "name"), form).status_code == 303
    draft.refresh_from_db()
    assert draft.parameters == {"scheme": "https", "host": "hub.example.com:8443"}


def test_it_refuses_a_scheme_that_is_not_offered(developer_client, start):
    draft = start("jupyterhub")
    form = name_form(draft, parameter_host="hub.example.com", parameter_scheme="file")
    assert developer_client.post(url(draft, "name"), form).status_code == 422


def test_it_refuses_a_level_that_the_service_does_not_offer(developer_client, start):
    draft = start("slack")
    response = developer_client.post(url(draft, "level"), {"level": Level.LOGGED_IN_USER})
    assert response.status_code == 422
    draft.refresh_from_db()
    assert draft.level == Level.ADMINISTRATOR


def test_it_refuses_no_permission_at_all(developer_client, start):
    draft = start("zoho_crm")
    response = developer_client.post(url(draft, "permissions"), {"scopes": []} | {"x": "1"})
    assert response.status_code == 422
    assert "Choose at least one permission, or All Actions." in words_of(response)


def test_all_actions_asks_for_all_of_them(developer_client, start):
    draft = start("zoho_crm")
    developer_client.post(url(draft, "permissions"), {"all_actions": "on"})
    draft.refresh_from_db()
    assert draft.all_actions
    assert set(draft.connector.oauth2.all_actions) <= set(draft.scopes_asked)


def test_it_refuses_a_scope_that_is_not_listed(developer_client, start):
    draft = start("zoho_crm")
    response = developer_client.post(url(draft, "permissions"), {"scopes": ["ZohoBooks.all"]})
    assert response.status_code == 422
    draft.refresh_from_db()
    assert draft.scopes == []


@pytest.mark.parametrize("typed", ["<script>", "ZohoProjects", "ok.scope bad;scope", "a" * 2001])
def test_it_refuses_a_typed_scope_that_is_not_the_services(developer_client, start, typed):
    draft = start("zoho_projects")
    response = developer_client.post(url(draft, "permissions"), {"typed": typed})
    assert response.status_code == 422
    draft.refresh_from_db()
    assert draft.scopes == []


def test_it_takes_a_typed_scope(developer_client, start):
    draft = start("zoho_projects")
    typed = "ZohoProjects.dashboards.READ  ZohoProjects.dashboards.READ"
    assert developer_client.post(url(draft, "permissions"), {"typed": typed}).status_code == 303
    draft.refresh_from_db()
    assert draft.scopes == ["ZohoProjects.dashboards.READ"]
    page = developer_client.get(url(draft, "permissions")).content.decode()
    assert "ZohoProjects.dashboards.READ" in page


@pytest.mark.parametrize("slug", ["twilio", "rabbitmq_management"])
def test_without_oauth_it_asks_for_no_permissions(developer_client, start, slug):
    draft = start(slug)
    response = developer_client.post(url(draft, "level"), {"level": "administrator"})
    assert response["Location"] == url(draft, "environments")
    assert developer_client.get(url(draft, "permissions")).status_code == 404


@pytest.mark.parametrize(("auth_type", "status"), [("oauth2", 200), ("basic", 404)])
def test_zoho_projects_authorizes_in_two_ways(developer_client, start, auth_type, status):
    draft = start("zoho_projects")
    developer_client.post(url(draft, "name"), name_form(draft, auth_type=auth_type))
    draft.refresh_from_db()
    assert draft.auth_type == auth_type
    assert developer_client.get(url(draft, "permissions")).status_code == status

    response = finish(developer_client, draft)

    page = developer_client.get(response["Location"])
    assert ("User name" in words_of(page)) == (auth_type == "basic")


def test_it_refuses_a_way_to_authorize_that_the_service_has_not(developer_client, start):
    draft = start("zoho_projects")
    form = name_form(draft, auth_type="api_key")
    assert developer_client.post(url(draft, "name"), form).status_code == 422


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
    response = developer_client.post(url(draft, "environments"), {"create": "1"})
    assert response.status_code == 422
    assert "Choose at least one permission" in words_of(response)
    assert url(draft, "permissions") in response.content.decode()
    assert Connection.objects.get().is_draft


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
    Connection.objects.update(scopes=["chat:write"])

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


def test_it_hides_the_drafts_of_colleagues(member, studio, signed_in, start):
    draft = start("slack")
    colleague = signed_in(member(studio, "developer", "colleague@studio.example"))
    assert colleague.get(url(draft, "name")).status_code == 404


def test_it_knows_only_its_own_steps(developer_client, start):
    assert developer_client.get(url(start("slack"), "price")).status_code == 404


@pytest.mark.parametrize("extra", ["status", "link_name", "created_by", "connector_slug", "scopes"])
def test_it_takes_nothing_that_it_did_not_ask_for(developer_client, start, extra):
    draft = start("slack")
    before = getattr(draft, extra)
    developer_client.post(url(draft, "name"), name_form(draft, **{extra: "created"}))
    draft.refresh_from_db()
    assert getattr(draft, extra) == before
