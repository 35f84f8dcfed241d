"""The whole way at services that answer in ways of their own; their answers are made here."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
import responses
from django.urls import reverse

from connections.models import Connection, Credential, Flow, OAuthClient
from tests.connections.flow_steps import begin, flow_at, state_of, words_of


@pytest.fixture(autouse=True)
def network():
    """Answer every request on this machine."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def come_back(developer_client):
    """Authorize a connection at a service that sends a code and these fields."""

    def go(connection: Connection, **query: str) -> Flow:
        slug = connection.connector_slug
        if not OAuthClient.objects.filter(connector_slug=slug).exists():
            OAuthClient.objects.create(
                connector_slug=slug, client_id="client:id", client_secret="s+cr/t%"
            )
        state = state_of(begin(developer_client, connection))
        response = developer_client.get(
            reverse("oauth_callback", args=[slug]), {"code": "a-code", "state": state, **query}
        )
        assert response.status_code == 303
        return flow_at(response["Location"])

    return go


def zoho(connect) -> Connection:
    return connect(
        "zoho_crm",
        scopes=["ZohoCRM.modules.leads.READ"],
        parameters={"data_center": "zoho.com"},
    )


def sent(network, number: int = 0) -> dict[str, list[str]]:
    return parse_qs(network.calls[number].request.body, keep_blank_values=True)


def zoho_answers(network, host: str, api_domain: str) -> None:
    network.post(
        f"https://accounts.{host}/oauth/v2/token",
        json={
            "access_token": "1000.a",
            "refresh_token": "1000.r",
            "api_domain": api_domain,
            "token_type": "Bearer",
            "expires_in": 3600,
        },
    )
    network.get(
        f"{api_domain}/crm/v8/users?type=CurrentUser",
        json={"users": [{"email": "a@acme.example", "id": "7"}]},
    )


def test_it_refuses_a_repeated_field_of_the_callback(network, connect, developer_client):
    """The field may decide where the secret is sent, so it must not be ambiguous."""
    OAuthClient.objects.create(connector_slug="zoho_crm", client_id="id", client_secret="secret")
    state = state_of(begin(developer_client, zoho(connect)))
    query = urlencode({"code": "a-code", "state": state, "location": "eu"})
    servers = "&accounts-server=https://accounts.zoho.eu&accounts-server=https://accounts.zoho.in"

    response = developer_client.get(
        f"{reverse('oauth_callback', args=['zoho_crm'])}?{query}{servers}"
    )

    assert response.status_code == 400
    assert "“accounts-server” more than once" in words_of(response)
    assert len(network.calls) == 0


def test_zoho_names_the_region_of_the_account(network, connect, come_back):
    zoho_answers(network, "zoho.eu", "https://www.zohoapis.eu")
    connection = zoho(connect)

    flow = come_back(
        connection, **{"accounts-server": "https://accounts.zoho.eu", "location": "eu"}
    )

    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    credential = connection.authorizations.get().credential
    assert credential.label == "a@acme.example"
    assert credential.kept["accounts_server"] == "https://accounts.zoho.eu"
    assert credential.kept["api_domain"] == "https://www.zohoapis.eu"
    assert sent(network)["client_secret"] == ["s+cr/t%"]


@pytest.mark.parametrize(
    "server",
    [
        "https://evil.example",
        "https://accounts.zoho.eu.evil.example",
        "https://accounts.zoho.eu@evil.example",
        "http://accounts.zoho.eu",
        "https://accounts.zoho.eu/x",
        "https://accounts.zoho.eu\n",
    ],
)
def test_zoho_cannot_send_the_secret_to_another_host(network, connect, come_back, server):
    flow = come_back(zoho(connect), **{"accounts-server": server})
    assert flow.outcome == Flow.Outcome.FAILED
    assert len(network.calls) == 0
    assert not Credential.objects.exists()


def test_salesforce_names_the_host_of_the_api(network, connect, come_back):
    instance = "https://acme.my.salesforce.com"
    network.post(
        "https://login.salesforce.com/services/oauth2/token",
        json={
            "access_token": "a",
            "refresh_token": "r",
            "instance_url": instance,
            "scope": "api refresh_token id openid",
            "token_type": "Bearer",
            "issued_at": "1",
        },
    )
    network.get(
        f"{instance}/services/oauth2/userinfo",
        json={"preferred_username": "a@acme.example", "user_id": "7"},
    )
    connection = connect(
        "salesforce", scopes=["api"], parameters={"login_host": "login.salesforce.com"}
    )

    flow = come_back(connection)

    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    credential = connection.authorizations.get().credential
    assert credential.label == "a@acme.example"
    assert credential.expires_at is None
    assert len(sent(network)["code_verifier"][0]) == 43


@pytest.mark.parametrize(
    "instance",
    ["http://169.254.169.254", "https://evil.example", "https://a.salesforce.com.evil.example"],
)
def test_salesforce_cannot_send_the_token_to_another_host(network, connect, come_back, instance):
    network.post(
        "https://login.salesforce.com/services/oauth2/token",
        json={"access_token": "a", "instance_url": instance, "token_type": "Bearer"},
    )
    connection = connect(
        "salesforce", scopes=["api"], parameters={"login_host": "login.salesforce.com"}
    )
    assert come_back(connection).outcome == Flow.Outcome.FAILED
    assert len(network.calls) == 1
    assert not Credential.objects.exists()


def test_slack_refuses_with_status_200(network, connect, come_back):
    network.post(
        "https://slack.com/api/oauth.v2.access", json={"ok": False, "error": "invalid_code"}
    )
    flow = come_back(connect("slack", scopes=["chat:write"]))
    assert flow.outcome == Flow.Outcome.FAILED
    assert "Slack" in flow.problem
    assert not Credential.objects.exists()


def test_slack_acts_as_its_bot(network, connect, come_back):
    network.post(
        "https://slack.com/api/oauth.v2.access",
        json={
            "ok": True,
            "access_token": "xoxb-1",
            "token_type": "bot",
            "scope": "chat:write,channels:read",
            "team": {"id": "T1", "name": "Acme"},
            "authed_user": {"id": "U1", "access_token": "xoxp-not-this-one"},
        },
    )
    network.post(
        "https://slack.com/api/auth.test", json={"ok": True, "team": "Acme", "team_id": "T1"}
    )
    connection = connect("slack", scopes=["chat:write", "channels:read"])

    flow = come_back(connection)

    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    credential = connection.authorizations.get().credential
    assert (credential.label, credential.account_id) == ("Acme", "T1")
    assert credential.secret.reveal()["access_token"] == "xoxb-1"
    assert connection.authorizations.get().missing_scopes == []
    assert network.calls[0].request.headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in sent(network)


def test_github_refuses_with_status_200(network, connect, come_back):
    network.post(
        "https://github.com/login/oauth/access_token",
        json={"error": "bad_verification_code", "error_description": "The code is incorrect."},
    )
    flow = come_back(connect("github", scopes=["repo"]))
    assert flow.outcome == Flow.Outcome.FAILED
    assert "GitHub" in flow.problem
    assert "a-code" not in flow.problem


@pytest.mark.parametrize(("granted", "missing"), [("repo", []), ("repo,gist", []), ("", ["repo"])])
def test_github_grants_less_or_more_than_was_asked(network, connect, come_back, granted, missing):
    network.post(
        "https://github.com/login/oauth/access_token",
        json={"access_token": "gho_1", "scope": granted, "token_type": "bearer"},
    )
    network.get("https://api.github.com/user", json={"login": "alice", "id": 7})
    connection = connect("github", scopes=["repo", "public_repo"] if granted else ["repo"])
    flow = come_back(connection)
    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    authorization = connection.authorizations.get()
    assert authorization.missing_scopes == missing
    assert authorization.credential.expires_at is None


TWILIO = {"account_sid": "AC" + "0" * 32, "auth_token": "canary-token"}


def press_authorize(developer_client, connect, form: dict[str, Any]):
    connection = connect("twilio")
    address = reverse("connection_authorize", args=[connection.pk])
    return connection, developer_client.post(address, form, follow=True)


def test_twilio_knows_the_account(network, developer_client, connect):
    network.get(
        f"https://api.twilio.com/2010-04-01/Accounts/{TWILIO['account_sid']}.json",
        json={"friendly_name": "Acme phones", "sid": TWILIO["account_sid"]},
    )
    connection, response = press_authorize(developer_client, connect, TWILIO)
    assert "is authorized as Acme phones" in words_of(response)
    assert connection.authorizations.get().credential.secret.reveal() == TWILIO


def test_twilio_refuses(network, developer_client, connect):
    network.get(
        f"https://api.twilio.com/2010-04-01/Accounts/{TWILIO['account_sid']}.json",
        status=401,
        json={"code": 20003, "message": "Authenticate with canary-token"},
    )
    _, response = press_authorize(developer_client, connect, TWILIO)
    assert response.status_code == 422
    assert "canary-token" not in response.content.decode()
    assert not Credential.objects.exists()


@pytest.mark.parametrize("sid", ["../../..", "AC/../x", "AC?x=1", "AC#", "@evil.example"])
def test_a_typed_value_cannot_change_the_host(network, developer_client, connect, sid):
    press_authorize(developer_client, connect, TWILIO | {"account_sid": sid})
    assert not Credential.objects.exists()
    assert all(
        call.request.url.startswith("https://api.twilio.com/2010-04-01/Accounts/")
        for call in network.calls
    )
