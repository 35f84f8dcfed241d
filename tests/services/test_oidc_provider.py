"""OAuth 2 with a server that nobody here wrote: npm ``oidc-provider``."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from connections.credentials.refreshing import fresh_secret
from connections.models import Authorization, Connection, Flow, OAuthClient
from tests.servers import end, free_port, unavailable, wait_for_line
from tests.setup import OIDC, oidc_provider_is_there

CLIENT_ID = "developer-console"
NEEDS_AUTHORIZATION = Authorization.State.NEEDS_AUTHORIZATION


@dataclass(frozen=True, kw_only=True)
class Provider:
    """The server that is running: where, and this console's secret there."""

    host: str
    client_secret: str

    def token(self, **form: str) -> requests.Response:
        """Ask the token endpoint as this console does."""
        url, auth = f"http://{self.host}/token", (CLIENT_ID, self.client_secret)
        return requests.post(url, data=form, auth=auth, timeout=10)

    def me(self, access_token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {access_token}"}
        return requests.get(f"http://{self.host}/me", headers=headers, timeout=10)


@pytest.fixture
def provider(studio, settings, fresh_registry, tmp_path) -> Iterator[Provider]:
    """Run the server, put its connector on offer, and register this console on both sides."""
    if not oidc_provider_is_there():
        unavailable("oidc-provider is not installed: it needs Node 20 and npm (tests/setup.py)")
    host, secret = f"localhost:{free_port()}", secrets.token_urlsafe(32)
    settings.EXTRA_CATALOGUES = [str(OIDC / "catalogue")]
    settings.ALLOWED_PRIVATE_HOSTS = [host]
    client = OAuthClient.objects.create(
        connector_slug="oidc_provider",
        organization=studio,
        host=host,
        client_id=CLIENT_ID,
        client_secret=secret,
    )
    environment = os.environ | {
        "PORT": host.rpartition(":")[2],
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": secret,
        "REDIRECT_URI": client.redirect_uri,
    }
    log = tmp_path / "oidc-provider.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["node", "server.mjs"], cwd=OIDC, env=environment, stdout=output, stderr=output
        )
        try:
            wait_for_line("ready", log, process)
            yield Provider(host=host, client_secret=secret)
        finally:
            end(process)


@pytest.fixture
def connection(provider, create_connection) -> Connection:
    return create_connection("oidc_provider", scheme="http", host=provider.host)


def leave(client: Client, connection: Connection) -> str:
    """Press *Authorize* and return where the browser is sent."""
    page = reverse("connection_authorize", args=[connection.pk])
    answer = client.post(page, {"flow": str(uuid.uuid4())})
    assert answer.status_code == 303, answer.content.decode()
    return answer["Location"]


def consent(url: str, account: str = "carol") -> str:
    """Sign in and allow on the provider's own pages; return the callback's address."""
    visitor = requests.Session()
    page = walk(visitor, visitor.get(url, allow_redirects=False, timeout=10))
    form = {"prompt": "login", "login": account, "password": "any"}
    page = walk(visitor, submit(visitor, page, form))
    page = walk(visitor, submit(visitor, page, {"prompt": "consent"}))
    return page.headers["Location"]


def decline(url: str) -> str:
    """Press *Cancel* on the provider's own page; return the callback's address."""
    visitor = requests.Session()
    page = walk(visitor, visitor.get(url, allow_redirects=False, timeout=10))
    (abort,) = re.findall(r'href="([^"]+/abort)"', page.text)
    left = visitor.get(urljoin(page.url, abort), allow_redirects=False, timeout=10)
    return walk(visitor, left).headers["Location"]


def submit(
    visitor: requests.Session, page: requests.Response, form: dict[str, str]
) -> requests.Response:
    (action,) = re.findall(r'action="([^"]+)" method="post"', page.text)
    return visitor.post(urljoin(page.url, action), form, allow_redirects=False, timeout=10)


def walk(visitor: requests.Session, answer: requests.Response) -> requests.Response:
    """Follow redirects as far as they stay with the provider."""
    while answer.is_redirect:
        target = urljoin(answer.url, answer.headers["Location"])
        if urlsplit(target).netloc != urlsplit(answer.url).netloc:
            return answer
        answer = visitor.get(target, allow_redirects=False, timeout=10)
    assert answer.ok, answer.text
    return answer


def come_back(client: Client, address: str) -> Flow:
    """Load the callback's address in the browser that began, and return its flow."""
    parts = urlsplit(address)
    answer = client.get(f"{parts.path}?{parts.query}")
    assert answer.status_code == 303, answer.content.decode()
    return Flow.objects.get(pk=answer["Location"].rstrip("/").rsplit("/", 1)[1])


@pytest.fixture
def authorization(connection, developer_client) -> Authorization:
    flow = come_back(developer_client, consent(leave(developer_client, connection)))
    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    return Authorization.objects.get(connection=connection)


def test_it_authorizes_as_the_account_that_consented(authorization, developer_client) -> None:
    assert authorization.state == Authorization.State.ACTIVE
    assert authorization.missing_scopes == []
    page = developer_client.get(authorization.connection.get_absolute_url()).content.decode()
    assert "Authorized as carol@provider.example" in page


def test_it_refuses_an_answer_of_another_issuer(connection, developer_client) -> None:
    parts = urlsplit(consent(leave(developer_client, connection)))
    query = dict(parse_qsl(parts.query))
    assert query["iss"] == f"http://{connection.parameters['host']}"
    query["iss"] = "http://localhost:1"
    flow = come_back(developer_client, f"{parts.path}?{urlencode(query)}")
    assert flow.outcome == Flow.Outcome.FAILED
    assert "does not come from OIDC Provider" in flow.problem
    assert not Authorization.objects.exists()


def test_it_says_so_when_consent_is_declined(connection, developer_client) -> None:
    flow = come_back(developer_client, decline(leave(developer_client, connection)))
    assert flow.outcome == Flow.Outcome.FAILED
    assert "the request was declined on its page" in flow.problem


def test_it_asks_for_tokens_once_when_the_callback_comes_twice(
    connection, developer_client
) -> None:
    address = consent(leave(developer_client, connection))
    first = come_back(developer_client, address)
    again = come_back(developer_client, address)
    assert first.pk == again.pk
    assert again.outcome == Flow.Outcome.COMPLETED
    # A second use of the code would have ended the grant (RFC 6749 section 4.1.2).
    authorization = Authorization.objects.get(connection=connection)
    assert fresh_secret(authorization.credential, force=True)["access_token"]


def test_it_keeps_the_refresh_token_that_the_service_rotates(authorization, provider) -> None:
    before = authorization.credential.secret.reveal()
    after = fresh_secret(authorization.credential, force=True)
    authorization.credential.refresh_from_db()
    assert authorization.credential.secret.reveal() == after
    assert after["refresh_token"] != before["refresh_token"]
    assert provider.me(after["access_token"]).json()["email"] == "carol@provider.example"


def test_it_needs_authorization_once_an_old_refresh_token_was_used(
    authorization, provider, developer_client
) -> None:
    stolen = authorization.credential.secret.reveal()["refresh_token"]
    fresh_secret(authorization.credential, force=True)
    reused = provider.token(grant_type="refresh_token", refresh_token=stolen)
    assert reused.json()["error"] == "invalid_grant"

    developer_client.post(reverse("authorization_test", args=[authorization.pk]))

    authorization.refresh_from_db()
    assert authorization.state == NEEDS_AUTHORIZATION
    assert "OIDC Provider" in authorization.reason


def test_it_revokes_the_grant_at_the_service(authorization, provider, developer_client) -> None:
    tokens = authorization.credential.secret.reveal()
    assert provider.me(tokens["access_token"]).ok

    answer = developer_client.post(
        reverse("authorization_revoke", args=[authorization.pk]), follow=True
    )

    assert "OIDC Provider has revoked the access" in answer.content.decode()
    authorization.refresh_from_db()
    assert authorization.state == Authorization.State.REVOKED
    assert authorization.credential is None
    refused = provider.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"
    assert provider.me(tokens["access_token"]).status_code == 401
