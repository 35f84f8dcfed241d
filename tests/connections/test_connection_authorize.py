from __future__ import annotations

import re
import uuid
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.authorizations import authorizing
from connections.authorizations.authorizing import MAX_OPEN_FLOWS
from connections.models import (
    Authorization,
    Connection,
    Credential,
    Flow,
    OAuthClient,
)
from connections.models.authorization_site import AuthorizationSite
from console.choices import Role
from tests.connections.flow_steps import allow, authorize, begin, decide, state_of, words_of


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
        state_of(
            authorizing.begin(
                AuthorizationSite.of_connection(connection), developer, ["all"], browser="b"
            )
        )
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


def test_a_new_flow_with_the_same_id_replaces_the_earlier_one(
    developer_client, connect, oauth_client, alice
):
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


def test_it_sends_no_code_challenge_if_the_service_does_not_support_pkce(developer_client, connect):
    OAuthClient.objects.create(connector_slug="slack", client_id="1.2", client_secret="s")
    query = parse_qs(
        urlsplit(begin(developer_client, connect("slack", scopes=["chat:write"]))).query
    )
    assert "code_challenge" not in query
    assert len(query["state"][0]) == 43


def test_only_this_page_allows_forms_to_services(developer_client, connect, oauth_client):
    connection = connect()
    authorize_page = developer_client.get(page(connection))
    detail = developer_client.get(connection.get_absolute_url())
    assert "form-action 'self' https:" in authorize_page["Content-Security-Policy"]
    assert "no-store" in authorize_page["Cache-Control"]
    assert "https:" not in detail["Content-Security-Policy"]


# The OAuth client


def test_without_an_oauth_client_it_says_what_to_register(developer_client, connect, studio):
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


def test_a_client_for_one_host_serves_only_that_host(developer_client, connect, studio):
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


# Again


def test_reauthorizing_replaces_the_account_and_revokes_the_old_one(
    developer_client, connect, oauth_client, alice, bob, sandbox
):
    connection = connect()
    authorize(developer_client, connection, alice)
    flow = authorize(developer_client, connection, bob)
    assert connection.authorizations.get().credential.label == "alice@example.com"
    flow = decide(developer_client, flow)

    assert connection.authorizations.get().credential.label == "bob@example.com"
    assert flow.outcome == "completed"
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


def test_a_failure_keeps_the_old_authorization(
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


def test_it_needs_a_created_connection(developer_client, connect):
    draft = connect(status="draft", link_name="")
    assert developer_client.get(page(draft)).status_code == 404


def test_it_does_not_start_without_a_csrf_token(developer, connect, oauth_client):
    client = Client(enforce_csrf_checks=True)
    client.force_login(developer)
    assert client.post(page(connect()), {"flow": uuid.uuid4()}).status_code == 403
    assert not Flow.objects.exists()


def test_a_get_request_begins_no_flow(developer_client, connect, oauth_client):
    assert developer_client.get(page(connect())).status_code == 200
    assert not Flow.objects.exists()


def test_old_flows_are_deleted(developer_client, connect, oauth_client):
    begin(developer_client, connect())
    Flow.objects.update(
        outcome=Flow.Outcome.COMPLETED, expires_at=timezone.now() - timedelta(days=2)
    )
    begin(developer_client, connect())
    assert Flow.objects.count() == 1


def test_it_ignores_a_malformed_flow_id(developer_client, connect, oauth_client):
    connection = connect("sandbox")
    address = reverse("connection_authorize", args=[connection.pk])
    response = developer_client.post(address, {"flow": "../../elsewhere"})
    assert response.status_code == 422
    assert "elsewhere/status" not in response.content.decode()


def test_only_a_page_that_opens_a_popup_sees_it(developer_client, connect, oauth_client):
    """The service's page never has an opener: see tests/browser/test_popup_window.py."""
    typed = connect("sandbox_basic")
    response = developer_client.get(reverse("connection_authorize", args=[typed.pk]))
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    oauth2 = reverse("connection_authorize", args=[connect(name="With OAuth").pk])
    for response in (developer_client.get(oauth2), developer_client.post(oauth2)):
        assert response["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"


def test_it_lists_the_permissions_that_it_asks_for(developer_client, connect, oauth_client):
    connection = connect(scopes=["contacts.read"])
    page = words_of(developer_client.get(reverse("connection_authorize", args=[connection.pk])))
    assert "It asks for 2 permissions" in page
    assert "See your contacts. contacts.read" in page
    assert "contacts.write" not in page
