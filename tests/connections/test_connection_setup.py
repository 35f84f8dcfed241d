from __future__ import annotations

import pytest
from django.urls import reverse

from connections.models import Connection
from console.applications.models import Application
from console.choices import Level
from tests.connections.flow_steps import words_of
from tests.connections.wizard_answers import finish, name_form, url


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
    "name",
    ["x" * 51, "", "   ", "nul\0", "line\nbreak", "\u0301", "evil\u202egnp", "in\u200bvisible"],
)
def test_it_refuses_a_bad_name(developer_client, start, name):
    draft = start("slack")
    response = developer_client.post(url(draft, "name"), name_form(draft, name=name))
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"name"}
    draft.refresh_from_db()
    assert draft.name == "Slack Connection"


@pytest.mark.parametrize(
    "name",
    [
        "x" * 50,
        r"A & B @ C! : - _ \ | / ~ * . ( )",
        "Ünïcode 漢字",
        "Joe's; <Diner>, 100 %",
        "ग्राहक सूची",
        "ลูกค้า",
        "வாடிக்கையாளர்",
        "emoji 🙂",
    ],
)
def test_it_takes_a_good_name(developer_client, start, name):
    draft = start("slack")
    assert developer_client.post(url(draft, "name"), name_form(draft, name=name)).status_code == 303
    draft.refresh_from_db()
    assert draft.name == name


def test_a_name_is_kept_in_one_spelling(developer_client, start, connect):
    draft = start("slack")
    spelled = name_form(draft, name=" Cafe\u0301\u00a0 Bar\u200b")
    assert developer_client.post(url(draft, "name"), spelled).status_code == 303
    draft.refresh_from_db()
    assert draft.name == "Café Bar"


def test_a_name_in_another_script_gets_a_link_name_all_the_same(developer_client, start):
    made = []
    for name in ("ग्राहक", "ลูกค้า", "Straße nach Ærø"):
        draft = start("slack")
        developer_client.post(url(draft, "name"), name_form(draft, name=name))
        draft.refresh_from_db()
        finish(developer_client, draft)
        made.append(Connection.objects.get(name=name).link_name)
    assert made == ["slack", "slack_2", "strasse_nach_aero"]


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
        "https://",
        "ftp://hub.example.com",
        "https://https://hub.example.com",
        "hub.example.com/path",
        "hub.example.com\\path",
        "hub.example.com?path",
        "hub.example.com:0",
        "hub.example.com:65536",
        "hub.example.com:",
        "hub..example.com",
        "-\u2010.example.com",
        "user@hub.example.com",
        "hub.example.com#",
        "hub example",
        "hub.example.com:1:2",
        "HUB\nx",
        "[::1]",
        "[2001:db8::1]:8443",
        "2001:db8::1",
        "a" * 300,
    ],
)
def test_it_refuses_what_is_no_host(developer_client, start, slug, host):
    draft = start(slug)
    form = name_form(draft, parameter_host=host)
    response = developer_client.post(url(draft, "name"), form)
    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"parameter_host"}


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("https://hub.example.com/", "hub.example.com"),
        ("HTTPS://Hub.Example.COM", "hub.example.com"),
        (" hub.example.com\u200b\n", "hub.example.com"),
        ("hub.example.com.", "hub.example.com"),
        ("hub.example.com/", "hub.example.com"),
        ("https://hub.example.com:8443/", "hub.example.com:8443"),
        ("hub.example.com:08443", "hub.example.com:8443"),
        ("Hüb.example", "xn--hb-xka.example"),
        ("https://пример.example:8443/", "xn--e1afmkfd.example:8443"),
        ("hub\u3002example\uff0ecom", "hub.example.com"),
        ("XN--HB-XKA.example", "xn--hb-xka.example"),
    ],
)
def test_it_takes_a_host_however_it_is_written(developer_client, start, typed, host):
    draft = start("rabbitmq_management")
    form = name_form(draft, parameter_host=typed)
    assert developer_client.post(url(draft, "name"), form).status_code == 303
    draft.refresh_from_db()
    assert draft.parameters["host"] == host


@pytest.mark.parametrize(
    ("scheme", "host", "said"),
    [
        ("https", "http://hub.example.com", "Choose http there, or leave http:// out here"),
        ("http", "https://hub.example.com", "Choose https there, or leave https:// out here"),
        ("https", "ftp://hub.example.com", "leave ftp:// out"),
        ("https", "hub.example.com/rabbit", "leave out “/rabbit”"),
        ("https", "guest@hub.example.com", "leave out the part before the @"),
        ("https", "[2001:db8::1]:8443", "an IPv6 address cannot be used here"),
        ("https", "hub.example.com:99999", "“99999” is not a port"),
        ("https", "hub example", "does not have the format that the service uses. Example:"),
    ],
)
def test_it_says_what_is_wrong_with_a_host(developer_client, start, scheme, host, said):
    draft = start("rabbitmq_management")
    form = name_form(draft, parameter_scheme=scheme, parameter_host=host)
    assert said in words_of(developer_client.post(url(draft, "name"), form))


def test_a_scheme_before_the_host_may_be_the_chosen_one(developer_client, start):
    draft = start("rabbitmq_management")
    form = name_form(draft, parameter_scheme="http", parameter_host="http://localhost:15672/")
    assert developer_client.post(url(draft, "name"), form).status_code == 303
    draft.refresh_from_db()
    assert draft.parameters == {"scheme": "http", "host": "localhost:15672"}


@pytest.mark.parametrize(
    ("slug", "name", "typed", "value"),
    [
        ("zendesk", "subdomain", "Acme", "acme"),
        ("zendesk", "subdomain", "acme.zendesk.com", "acme"),
        ("zendesk", "subdomain", "https://acme.zendesk.com/agent/dashboard", "acme"),
        ("shopify", "shop", "https://Acme.myshopify.com/admin", "acme.myshopify.com"),
    ],
)
def test_a_part_of_a_host_may_be_typed_as_the_whole(
    developer_client, start, slug, name, typed, value
):
    draft = start(slug)
    form = name_form(draft, **{f"parameter_{name}": typed})
    assert developer_client.post(url(draft, "name"), form).status_code == 303
    draft.refresh_from_db()
    assert draft.parameters[name] == value


@pytest.mark.parametrize("typed", ["https://acme.evil.example/", "acme.zendesk.com.evil.example"])
def test_no_other_domain_becomes_a_subdomain(developer_client, start, typed):
    draft = start("zendesk")
    form = name_form(draft, parameter_subdomain=typed)
    assert developer_client.post(url(draft, "name"), form).status_code == 422


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
