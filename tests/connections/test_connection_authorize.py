from __future__ import annotations

import re
import uuid
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections import authorizing
from connections.authorizing import MAX_OPEN_FLOWS
from connections.models import Authorization, Connection, Credential, Flow, OAuthClient
from connections.models.connection import Level
from console.accounts.policy import Role
from tests.connections.flowing import allow, authorize, begin, state_of, words_of


def page(connection: Connection) -> str:
    return reverse("connection_authorize", args=[connection.pk])


# At the service's own page


def test_it_leads_to_the_service(developer_client, connect, oauth_client, sandbox):
    address = begin(developer_client, connect(scopes=["orders.read"]))

    query = parse_qs(urlsplit(address).query)
    assert address.startswith(f"{sandbox.url}/oauth/authorize/?")
    assert query["response_type"] == ["code"]
    assert query["client_id"] == [oauth_client.client_id]
    assert query["scope"] == ["profile.read orders.read"]
    assert query["redirect_uri"] == ["http://console.test/oauth/callback/sandbox/"]
    assert query["code_challenge_method"] == ["S256"]
    verifier = Flow.objects.get().code_verifier.reveal()
    assert verifier not in address
    assert re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)


def test_states_are_unguessable_and_never_repeated(developer, connect, oauth_client):
    connection = connect()
    states = {
        state_of(authorizing.begin(connection, developer, ["all"], browser="b"))
        for _ in range(1000)
    }
    assert len(states) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", state) for state in states)


def test_it_keeps_the_number_of_open_flows_bounded(developer_client, connect, oauth_client, alice):
    connection = connect()
    for _ in range(3 * MAX_OPEN_FLOWS):
        newest = begin(developer_client, connection)
    assert Flow.objects.count() == MAX_OPEN_FLOWS
    assert developer_client.get(allow(alice, newest)).status_code == 303
    assert Authorization.objects.count() == 1


def test_begun_again_the_earlier_attempt_ends(developer_client, connect, oauth_client, alice):
    connection, flow = connect(), uuid.uuid4()
    first = allow(alice, begin(developer_client, connection, flow=flow))
    begin(developer_client, connection, flow=flow)
    assert developer_client.get(first).status_code == 400
    assert Flow.objects.get().pk == flow


def test_it_never_takes_over_the_flow_of_another_person(
    developer_client, connect, oauth_client, signed_in, member, studio
):
    connection, flow = connect(), uuid.uuid4()
    begin(developer_client, connection, flow=flow)
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))

    begin(colleague, connection, flow=flow)

    assert Flow.objects.count() == 2
    assert Flow.objects.get(pk=flow).user.email == "developer@studio.example"


@pytest.mark.parametrize("header", ["HTTP_HOST", "HTTP_X_FORWARDED_HOST"])
def test_the_redirect_uri_never_depends_on_the_request(
    developer_client, connect, oauth_client, header
):
    response = developer_client.post(
        page(connect()), {"flow": uuid.uuid4()}, **{header: "evil.example"}
    )
    assert response.status_code == (400 if header == "HTTP_HOST" else 303)
    assert "evil.example" not in response.get("Location", "")


def test_it_sends_no_challenge_where_the_service_wants_none(developer_client, connect):
    OAuthClient.objects.create(connector_slug="slack", client_id="1.2", client_secret="s")
    query = parse_qs(
        urlsplit(begin(developer_client, connect("slack", scopes=["chat:write"]))).query
    )
    assert "code_challenge" not in query
    assert len(query["state"][0]) == 43


def test_the_page_may_send_its_form_to_services_only_here(developer_client, connect, oauth_client):
    connection = connect()
    authorize_page = developer_client.get(page(connection))
    detail = developer_client.get(connection.get_absolute_url())
    assert "form-action 'self' https:" in authorize_page["Content-Security-Policy"]
    assert "no-store" in authorize_page["Cache-Control"]
    assert "https:" not in detail["Content-Security-Policy"]


# The OAuth client


def test_it_says_what_to_register_where_nobody_has(developer_client, connect, studio):
    connection = connect("zoho_crm", scopes=["ZohoCRM.modules.leads.READ"])
    response = developer_client.get(page(connection))
    assert "http://console.test/oauth/callback/studio--zoho_crm/" in response.content.decode()
    assert developer_client.post(page(connection), {"flow": uuid.uuid4()}).status_code == 422
    assert not Flow.objects.exists()


def test_it_never_uses_the_client_of_another_organization(
    developer_client, connect, stranger_organization
):
    OAuthClient.objects.create(
        connector_slug="slack",
        client_id="theirs",
        client_secret="s",
        organization=stranger_organization,
    )
    response = developer_client.post(page(connect("slack")), {"flow": uuid.uuid4()})
    assert response.status_code == 422


def test_the_organizations_own_client_comes_first(
    developer_client, connect, oauth_client, studio, sandbox, alice
):
    own = OAuthClient.objects.create(
        connector_slug="sandbox",
        client_id="developer-console",
        client_secret=oauth_client.client_secret.reveal(),
        organization=studio,
    )
    connection = connect()
    assert own.redirect_uri == "http://console.test/oauth/callback/studio--sandbox/"
    flow = authorize(developer_client, connection, alice)
    assert flow.client == own
    assert flow.outcome == Flow.Outcome.COMPLETED


def test_a_client_for_one_host_serves_that_host_alone(developer_client, connect, studio):
    OAuthClient.objects.create(
        connector_slug="jupyterhub",
        client_id="hub",
        client_secret="s",
        organization=studio,
        host="hub.example.com",
    )
    answers = {}
    for host in ("hub.example.com", "evil.example.com", "hub.example.com:444"):
        connection = connect(
            "jupyterhub", scopes=["self"], parameters={"scheme": "https", "host": host}
        )
        answers[host] = developer_client.post(page(connection), {"flow": uuid.uuid4()}).status_code
    assert answers == {"hub.example.com": 303, "evil.example.com": 422, "hub.example.com:444": 422}


def test_it_refuses_plain_http_to_a_host_that_is_not_allowed(developer_client, connect, studio):
    OAuthClient.objects.create(
        connector_slug="jupyterhub",
        client_id="hub",
        client_secret="s",
        organization=studio,
        host="hub.example.com",
    )
    connection = connect(
        "jupyterhub", scopes=["self"], parameters={"scheme": "http", "host": "hub.example.com"}
    )
    assert developer_client.post(page(connection), {"flow": uuid.uuid4()}).status_code == 422


# Environments and people


def test_each_environment_has_an_authorization_of_its_own(
    developer_client, connect, oauth_client, alice, bob
):
    connection = connect(separate_environments=True)
    authorize(developer_client, connection, alice, environments=["development"])
    proposed = developer_client.get(page(connection)).context["form"].initial["environments"]
    assert proposed == ["stage"]
    authorize(developer_client, connection, bob, environments=["stage"])

    labels = connection.authorizations.values_list("environment", "credential__label")
    assert dict(labels) == {"development": "alice@example.com", "stage": "bob@example.com"}


def test_one_credential_serves_both_environments(developer_client, connect, oauth_client, alice):
    connection = connect(separate_environments=True)
    authorize(developer_client, connection, alice, environments=["development", "stage"])
    assert connection.authorizations.count() == 2
    assert Credential.objects.count() == 1


@pytest.mark.parametrize("environments", [[], ["production"], ["all"], ["stage", "x"]])
def test_it_refuses_environments_that_the_connection_has_not(
    developer_client, connect, oauth_client, environments
):
    connection = connect(separate_environments=True)
    form = {"flow": uuid.uuid4(), "environments": environments}
    assert developer_client.post(page(connection), form).status_code == 422
    assert not Flow.objects.exists()


def test_two_clients_for_two_environments_are_asked_one_after_the_other(
    developer_client, connect, oauth_client, alice
):
    for environment in ("development", "stage"):
        OAuthClient.objects.create(
            connector_slug="sandbox",
            client_id=oauth_client.client_id,
            client_secret=oauth_client.client_secret.reveal(),
            environment=environment,
        )
    connection = connect(separate_environments=True)
    both = {"flow": uuid.uuid4(), "environments": ["development", "stage"]}
    response = developer_client.post(page(connection), both)
    assert response.status_code == 422
    assert "one after the other" in words_of(response)
    flow = authorize(developer_client, connection, alice, environments=["stage"])
    assert flow.client.environment == "stage"
    assert flow.outcome == Flow.Outcome.COMPLETED


def test_each_person_has_an_account_of_his_own(
    developer_client, connect, oauth_client, signed_in, member, studio, alice, bob
):
    connection = connect(level=Level.LOGGED_IN_USER)
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))

    authorize(developer_client, connection, alice)
    unseen = words_of(colleague.get(connection.get_absolute_url()))
    authorize(colleague, connection, bob)

    assert "alice@example.com" not in unseen
    assert "Nobody has authorized" in unseen
    assert connection.authorizations.count() == 2
    for client, own, other in (
        (developer_client, "alice@example.com", "bob@example.com"),
        (colleague, "bob@example.com", "alice@example.com"),
    ):
        text = words_of(client.get(connection.get_absolute_url()))
        assert own in text
        assert other not in text


def test_the_authorizations_of_a_colleague_are_hidden(
    developer_client, connect, oauth_client, signed_in, member, studio, alice
):
    connection = connect(level=Level.LOGGED_IN_USER)
    authorize(developer_client, connection, alice)
    authorization = connection.authorizations.get()
    colleague = signed_in(member(studio, Role.DEVELOPER, "colleague@studio.example"))
    for name in ("authorization_test", "authorization_label", "authorization_revoke"):
        response = colleague.post(reverse(name, args=[authorization.pk]), {"label": "Mine"})
        assert response.status_code == 404
    authorization.refresh_from_db()
    assert authorization.state == "active"


# Again


def test_reauthorizing_replaces_the_account_and_gives_the_old_one_back(
    developer_client, connect, oauth_client, alice, bob, sandbox
):
    connection = connect()
    authorize(developer_client, connection, alice)
    flow = authorize(developer_client, connection, bob)

    assert connection.authorizations.get().credential.label == "bob@example.com"
    assert "It replaces alice@example.com." in flow.problem
    assert Credential.objects.count() == 1
    assert sandbox.counts()["revoke"] >= 1


def test_reauthorizing_the_same_account_keeps_it_working(
    developer_client, connect, oauth_client, alice, sandbox
):
    connection = connect()
    for _ in range(2):
        authorize(developer_client, connection, alice)
    assert Credential.objects.count() == 1
    test = reverse("authorization_test", args=[connection.authorizations.get().pk])
    assert "It works" in words_of(developer_client.post(test, follow=True))


def test_a_failure_leaves_the_old_authorization_alone(
    developer_client, connect, oauth_client, alice, sandbox
):
    connection = connect()
    authorize(developer_client, connection, alice)
    before = Authorization.objects.values().get(), Credential.objects.values().get()
    for switches in ({"token": "500"}, {"token": "html"}, {"omit_iss": True}):
        sandbox.reset()
        sandbox.switches(**switches)
        assert authorize(developer_client, connection, alice).outcome == Flow.Outcome.FAILED
    assert (Authorization.objects.values().get(), Credential.objects.values().get()) == before


# Typed credentials

TYPED = {
    "sandbox_basic": {"username": "alice", "password": "open-sesame-1"},
    "sandbox_api_key": {"key": "open-sesame-1"},
}


@pytest.mark.parametrize("slug", TYPED)
def test_typed_credentials_are_tried_out_and_kept(developer_client, connect, sandbox, slug):
    connection = connect(slug)
    response = developer_client.post(page(connection), TYPED[slug], follow=True)

    assert "is authorized as alice@example.com" in words_of(response)
    assert "open-sesame-1" not in response.content.decode()
    credential = connection.authorizations.get().credential
    assert credential.secret.reveal() == TYPED[slug]
    assert sandbox.counts()["api"] == 1


@pytest.mark.parametrize("slug", TYPED)
def test_wrong_credentials_are_not_kept_nor_shown(developer_client, connect, sandbox, slug):
    connection = connect(slug)
    wrong = TYPED[slug] | {next(reversed(TYPED[slug])): "canary-wrong-secret"}

    response = developer_client.post(page(connection), wrong)

    assert response.status_code == 422
    assert "Sandbox" in words_of(response)
    assert "Nothing was changed" in words_of(response)
    assert "canary-wrong-secret" not in response.content.decode()
    assert not Credential.objects.exists()


@pytest.mark.parametrize("mode", ["500", "html", "empty", "redirect", "revoked"])
def test_credentials_are_not_kept_where_the_service_fails(developer_client, connect, sandbox, mode):
    sandbox.switches(api=mode)
    connection = connect("sandbox_basic")
    response = developer_client.post(page(connection), TYPED["sandbox_basic"])
    assert response.status_code == 422
    assert sandbox.counts()["elsewhere"] == 0
    assert not Credential.objects.exists()


@pytest.mark.parametrize("value", ["", "line\r\nX-Evil: 1", "nul\0", "x" * 501, "漢字"])
def test_no_typed_credential_breaks_it(developer_client, connect, sandbox, value):
    connection = connect("sandbox_api_key")
    response = developer_client.post(page(connection), {"key": value})
    assert response.status_code == 422
    assert not Credential.objects.exists()


def test_it_needs_a_created_connection(developer_client, connect):
    draft = connect(status="draft", link_name="")
    assert developer_client.get(page(draft)).status_code == 404


def test_it_does_not_start_without_a_csrf_token(developer, connect, oauth_client):
    client = Client(enforce_csrf_checks=True)
    client.force_login(developer)
    assert client.post(page(connect()), {"flow": uuid.uuid4()}).status_code == 403
    assert not Flow.objects.exists()


def test_looking_begins_no_flow(developer_client, connect, oauth_client):
    assert developer_client.get(page(connect())).status_code == 200
    assert not Flow.objects.exists()


def test_flows_of_yesterday_are_dropped(developer_client, connect, oauth_client):
    begin(developer_client, connect())
    Flow.objects.update(
        outcome=Flow.Outcome.COMPLETED, expires_at=timezone.now() - timedelta(days=2)
    )
    begin(developer_client, connect())
    assert Flow.objects.count() == 1
