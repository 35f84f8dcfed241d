"""Register OAuth clients on the guided page, see who uses them, move connections, delete them."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.db import IntegrityError
from django.urls import reverse

from connections.models import OAuthClient
from connections.models.authorization_site import AuthorizationSite
from console.choices import Role

LIST = reverse("oauth_client_list")
SERVICES = reverse("oauth_client_services")
SLACK = reverse("oauth_client_create", args=["slack"])
SECRET = "canary-secret"


@pytest.fixture
def browser(signed_in, super_admin):
    return signed_in(super_admin)


@pytest.fixture
def register(studio):
    def make(name="Main", connector="slack", organization="own", **fields) -> OAuthClient:
        return OAuthClient.objects.create(
            connector_slug=connector,
            organization=studio if organization == "own" else organization,
            name=name,
            client_id=f"id of {name}",
            client_secret=SECRET,
            **fields,
        )

    return make


def words(response) -> str:
    return response.content.decode()


def detail(client: OAuthClient, verb: str = "detail") -> str:
    return reverse(f"oauth_client_{verb}", args=[client.pk])


def test_the_list_says_which_connections_wait(browser, connect):
    connect("slack")
    connect("slack")
    page = words(browser.get(LIST))
    assert "2 connections wait" in page
    assert SLACK in page


def test_the_services_are_searchable_and_all_use_oauth(browser):
    page = words(browser.get(SERVICES, {"q": "slack"}))
    assert SLACK in page
    assert "No services found" in words(browser.get(SERVICES, {"q": "twilio-nothing"}))
    assert browser.get(reverse("oauth_client_create", args=["twilio"])).status_code == 404
    assert browser.get(reverse("oauth_client_create", args=["nothing"])).status_code == 404


def test_the_redirect_uri_comes_before_the_steps_and_the_form(browser):
    page = words(browser.get(SLACK))
    places = [
        page.index(part)
        for part in ("/oauth/callback/studio--slack/", "Register the client at", 'name="client_id"')
    ]
    assert places == sorted(places)


def test_a_client_is_saved_and_its_secret_never_shown(browser, studio):
    data = {"organization": "", "client_id": "1.2", "new_client_secret": SECRET, "name": ""}
    response = browser.post(SLACK, data, follow=True)
    client = OAuthClient.objects.get()
    assert (client.name, client.is_default, client.organization) == ("Main", True, studio)
    assert client.client_secret.reveal() == SECRET
    assert SECRET not in words(response)
    assert "1.2" in words(response)


def test_wrong_values_are_explained_and_kept(browser):
    response = browser.post(SLACK, {"client_id": "a\nb", "name": "Kept"})
    assert response.status_code == 422
    assert 'value="Kept"' in words(response)
    assert not OAuthClient.objects.exists()


def test_a_second_client_needs_another_name_and_shares_the_redirect_uri(browser, register):
    first = register()
    response = browser.post(SLACK, {"client_id": "2", "name": "MAIN"})
    assert "already a client named MAIN" in words(response)
    browser.post(SLACK, {"client_id": "2", "name": "Partners"})
    second = OAuthClient.objects.get(name="Partners")
    assert not second.is_default
    assert second.redirect_uri == first.redirect_uri


def test_the_database_allows_one_default_for_each_context(register, stranger_organization):
    register()
    register(organization=None)
    register(organization=stranger_organization)
    second = register("Partners")
    second.is_default = True
    with pytest.raises(IntegrityError):
        second.save()


def test_clients_of_before_become_the_default(register):
    client = register()
    OAuthClient.objects.update(is_default=False)
    migration = importlib.import_module("connections.migrations.0004_several_oauth_clients")
    migration.make_default(apps, None)
    client.refresh_from_db()
    assert (client.is_default, client.name) == (True, "Main")


def test_a_service_with_its_own_host_asks_for_it_first(browser):
    hub = reverse("oauth_client_create", args=["jupyterhub"])
    assert 'name="client_id"' not in words(browser.get(hub))
    assert browser.get(hub, {"host": "a b"}).status_code == 422
    page = words(browser.get(hub, {"host": "HUB.example.com"}))
    assert "/oauth/callback/studio--jupyterhub--" in page
    browser.post(hub, {"host": "HUB.example.com", "client_id": "1"})
    assert OAuthClient.objects.get().host == "hub.example.com"


def test_super_admins_register_for_their_organization_only(browser, stranger_organization):
    response = browser.post(
        SLACK, {"organization": str(stranger_organization.pk), "client_id": "1"}
    )
    assert response.status_code == 422
    assert not OAuthClient.objects.exists()


def test_operators_register_for_everybody(signed_in, operator, studio):
    browser = signed_in(operator)
    assert "Every organization" in words(browser.get(SLACK))
    browser.post(SLACK, {"organization": "", "client_id": "1"})
    browser.post(SLACK, {"organization": str(studio.pk), "client_id": "2"})
    assert sorted(OAuthClient.objects.values_list("reference", flat=True)) == [
        "slack",
        "studio--slack",
    ]


def test_only_own_clients_are_shown(browser, register, stranger_organization):
    own = register()
    others = [register(organization=None), register(organization=stranger_organization)]
    page = words(browser.get(LIST))
    assert detail(own) in page
    for client in others:
        assert detail(client) not in page
        for verb in ("detail", "delete"):
            assert browser.get(detail(client, verb)).status_code == 404
        for verb in ("detail", "delete", "default", "move", "test"):
            assert browser.post(detail(client, verb), {"client_id": "x"}).status_code == 404


def test_developers_have_no_access(developer_client, register):
    client = register()
    for url in (LIST, SERVICES, SLACK):
        assert developer_client.get(url).status_code == 403
    assert developer_client.get(detail(client)).status_code == 404


def test_an_empty_secret_keeps_the_stored_one(browser, register):
    client = register()
    browser.post(detail(client), {"client_id": "new", "name": "Other", "new_client_secret": ""})
    client.refresh_from_db()
    assert (client.name, client.client_id) == ("Other", "new")
    assert client.client_secret.reveal() == SECRET


def test_two_people_do_not_overwrite_each_other(browser, register):
    client = register()
    page = browser.get(detail(client))
    OAuthClient.objects.update(client_id="by somebody else")
    data = {"client_id": "mine", "name": "Main", "seen": page.context["seen"]}
    response = browser.post(detail(client), data)
    assert response.status_code == 409
    assert "by somebody else" in words(response)
    assert OAuthClient.objects.get().client_id == "by somebody else"


def test_changes_need_the_password_again(browser, register):
    client = register()
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": 1}]
    session.save()
    assert browser.get(detail(client)).status_code == 200
    assert browser.get(SLACK).status_code == 302
    for verb in ("detail", "delete", "default", "move"):
        response = browser.post(detail(client, verb), {"client_id": "x"})
        assert response.status_code == 302
        assert "reauthenticate" in response["Location"]
    client.refresh_from_db()
    assert client.client_id == "id of Main"


def test_the_default_can_be_changed(browser, register, connect):
    register()
    second = register("Partners")
    browser.post(detail(second, "default"))
    browser.post(detail(second, "default"))
    defaults = OAuthClient.objects.filter(is_default=True)
    assert [client.name for client in defaults] == ["Partners"]
    site = AuthorizationSite.of_connection(connect("slack"))
    assert site.oauth_client("all") == second


def test_a_chosen_client_comes_before_every_default(register, connect, studio):
    register(organization=None)
    register()
    second = register("Partners")
    connection = connect("slack", oauth_client=second)
    assert AuthorizationSite.of_connection(connection).oauth_client("all") == second


def test_a_chosen_client_never_serves_another_host(register, connect):
    client = register(connector="jupyterhub", host="one.example.com")
    connection = connect(
        "jupyterhub",
        oauth_client=client,
        parameters={"scheme": "https", "host": "two.example.com"},
    )
    assert AuthorizationSite.of_connection(connection).oauth_client("all") is None


def test_its_page_lists_the_connections_that_use_it(browser, register, connect, grant):
    client, other = register(), register("Partners")
    grant(connect("slack", name="Support"), client=client)
    connect("slack", name="Chosen only", oauth_client=client)
    grant(connect("slack", name="Elsewhere"), client=other)
    page = words(browser.get(detail(client)))
    assert "Used by 2 connections" in page
    assert "Support" in page
    assert "Chosen only" in page
    assert "Elsewhere" not in page
    assert "Used by 2 connections" in words(browser.get(LIST))


def test_a_client_in_use_is_kept_until_its_connections_have_moved(
    browser, register, connect, grant
):
    register("Old", is_default=False)
    OAuthClient.objects.update(is_default=False)
    client, target = OAuthClient.objects.get(), register("New")
    authorization = grant(connect("slack", name="Support"), client=client)
    chosen = connect("slack", name="Chosen", oauth_client=client)

    response = browser.post(detail(client, "delete"))
    assert response.status_code == 409
    assert "2 connections use Old" in words(response)

    page = words(browser.post(detail(client, "move"), {"target": str(target.pk)}, follow=True))
    assert "must authorize again" in page
    chosen.refresh_from_db()
    assert chosen.oauth_client == target
    assert browser.post(detail(client, "delete")).status_code == 409  # still authorized with it

    authorization.credential.client = target
    authorization.credential.save()
    assert browser.post(detail(client, "delete")).status_code == 303
    assert not OAuthClient.objects.filter(pk=client.pk).exists()


@pytest.mark.parametrize("target", ["", "x", "00000000-0000-0000-0000-000000000000"])
def test_connections_move_only_to_a_client_of_the_same_service(browser, register, connect, target):
    client, github = register(), register(connector="github")
    chosen = connect("slack", oauth_client=client)
    for key in (target, str(github.pk)):
        browser.post(detail(client, "move"), {"target": key})
    chosen.refresh_from_db()
    assert chosen.oauth_client == client


def test_the_default_is_kept_while_there_are_others(browser, register):
    client = register()
    second = register("Partners")
    assert browser.post(detail(client, "delete")).status_code == 409
    assert browser.post(detail(second, "delete")).status_code == 303
    assert browser.post(detail(client, "delete")).status_code == 303


def test_a_role_that_was_taken_away_changes_nothing(browser, register, super_admin):
    client = register()
    super_admin.memberships.update(role=Role.DEVELOPER)
    assert browser.post(detail(client, "delete")).status_code == 404
    assert OAuthClient.objects.exists()


class TestOfAConnection:
    """Choose the client of a connection."""

    def test_it_offers_the_clients_that_can_serve_it(
        self, developer_client, register, connect, stranger_organization
    ):
        register("Shared", organization=None)
        register("Own")
        register("Theirs", organization=stranger_organization)
        register("Other service", connector="github")
        page = words(developer_client.get(url(connect("slack"))))
        assert "Shared" in page
        assert "Own" in page
        assert "now Own" in page
        assert "Theirs" not in page
        assert "Other service" not in page

    def test_it_is_saved_and_says_who_must_authorize_again(
        self, developer_client, register, connect, grant
    ):
        client, other = register(), register("Partners")
        connection = connect("slack")
        grant(connection, client=client)
        data = {"oauth_client": str(other.pk)}
        page = words(developer_client.post(url(connection), data, follow=True))
        connection.refresh_from_db()
        assert connection.oauth_client == other
        assert "must authorize again" in page
        developer_client.post(url(connection), {"oauth_client": ""})
        connection.refresh_from_db()
        assert connection.oauth_client is None

    def test_others_are_refused(self, developer_client, register, connect, stranger_organization):
        theirs = register("Theirs", organization=stranger_organization)
        connection = connect("slack")
        response = developer_client.post(url(connection), {"oauth_client": str(theirs.pk)})
        assert response.status_code == 422
        connection.refresh_from_db()
        assert connection.oauth_client is None

    def test_connections_with_keys_have_no_client(self, developer_client, connect):
        connection = connect("twilio", auth_type="basic")
        assert developer_client.get(url(connection)).status_code == 404


def url(connection) -> str:
    return reverse("connection_oauth_client", args=[connection.pk])
