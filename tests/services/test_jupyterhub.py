"""OAuth 2 with a real JupyterHub, in which this console is registered as a service."""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from connections.calls.invoking import invoke
from connections.models import Authorization, Connection, Flow, OAuthClient
from connections.models.oauth_client import client_reference, redirect_uri
from connectors.definitions.registry import get_connector
from console.accounts.models import Organization
from tests.connections.call_helpers import get, state_of
from tests.connections.flow_steps import begin, flow_at, words_of
from tests.servers import free_port, running, unavailable, wait_for_page
from tests.setup import JUPYTERHUB, jupyterhub_is_there

PROXY = JUPYTERHUB / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
#: JupyterHub wants this beginning (jupyterhub/services/service.py).
CLIENT_ID = "service-developer-console"
NEEDS_AUTHORIZATION = Authorization.State.NEEDS_AUTHORIZATION


@dataclass(frozen=True, kw_only=True)
class Hub:
    """The running hub: its host, this console's client secret, and the passwords of its users."""

    host: str
    client_secret: str = field(repr=False)
    passwords: dict[str, str] = field(repr=False)


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Iterator[Hub]:
    """Run a JupyterHub behind its own proxy."""
    if not jupyterhub_is_there():
        unavailable(
            "JupyterHub is not installed: it needs PyPI, Node 20 and npm (tests/setup.py)",
            wanted_in_ci=False,
        )
    folder = tmp_path_factory.mktemp("jupyterhub")
    port, inner, proxy = free_port(), free_port(), free_port()
    hub = Hub(
        host=f"localhost:{port}",
        client_secret=secrets.token_urlsafe(32),
        passwords={"carol": secrets.token_urlsafe(32), "ada": secrets.token_urlsafe(32)},
    )
    reference = client_reference("jupyterhub", Organization(slug="studio"), host=hub.host)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CONFIGPROXY_AUTH_TOKEN": secrets.token_urlsafe(32),
        "HUB_URL": f"http://127.0.0.1:{port}",
        "HUB_ADDRESS": f"http://127.0.0.1:{inner}",
        "PROXY_API": f"http://127.0.0.1:{proxy}",
        "CLIENT_ID": CLIENT_ID,
        "CLIENT_SECRET": hub.client_secret,
        "REDIRECT_URI": redirect_uri(reference),
        "SCOPES": json.dumps(sorted(get_connector("jupyterhub").oauth2.actions)),
        "USER_PASSWORD": hub.passwords["carol"],
        "ADMIN_PASSWORD": hub.passwords["ada"],
    }
    here = {"folder": folder, "environment": environment}
    with ExitStack() as stack:
        stack.enter_context(
            running(
                *("node", str(PROXY), "--ip", "127.0.0.1", "--port", str(port)),
                *("--api-ip", "127.0.0.1", "--api-port", str(proxy)),
                **here,
                log=folder / "proxy.log",
            )
        )
        command = (JUPYTERHUB / "venv/bin/jupyterhub", "-f", JUPYTERHUB / "jupyterhub_config.py")
        log = folder / "hub.log"
        process = stack.enter_context(running(*map(str, command), **here, log=log))
        wait_for_page(f"http://{hub.host}/hub/api/", log, process)
        yield hub


@pytest.fixture
def registered(hub, studio, settings) -> Hub:
    """Store the hub's OAuth client in this console."""
    settings.ALLOWED_PRIVATE_HOSTS = [hub.host]
    OAuthClient.objects.create(
        connector_slug="jupyterhub",
        organization=studio,
        host=hub.host,
        client_id=CLIENT_ID,
        client_secret=hub.client_secret,
    )
    return hub


@pytest.fixture
def connection(registered, create_connection) -> Connection:
    return create_connection("jupyterhub", scheme="http", host=registered.host)


class Visitor:
    """A person who uses the hub in a browser."""

    def __init__(self, hub: Hub, name: str) -> None:
        self.hub, self.name = hub, name
        self.browser = requests.Session()

    def open(self, url: str) -> requests.Response:
        """Load a page of the hub, and sign in where it asks for that."""
        page = self._walk(self.browser.get(url, allow_redirects=False, timeout=10))
        if urlsplit(page.url).path == "/hub/login":
            person = {"username": self.name, "password": self.hub.passwords[self.name]}
            page = self.submit(page, **person)
        return page

    def submit(self, page: requests.Response, **typed: str) -> requests.Response:
        """Submit the form of a page with its values, replaced by those that were typed."""
        form = Form(page.text)
        fields = [(k, v) for k, v in form.fields if k not in typed] + list(typed.items())
        return self._walk(
            self.browser.post(
                urljoin(page.url, form.action), fields, allow_redirects=False, timeout=10
            )
        )

    def withdraw(self) -> None:
        """Press *revoke* beside this console on the page of one's tokens."""
        page = self.open(f"http://{self.hub.host}/hub/token")
        (token,) = re.findall(r'id="oauth-tokens-table".*?data-token-id="(\w+)"', page.text, re.S)
        answer = self.browser.delete(
            f"http://{self.hub.host}/hub/api/users/{self.name}/tokens/{token}",
            params={"_xsrf": re.findall(r'xsrf_token: "([^"]+)"', page.text)[0]},
            headers={"Referer": page.url},
            timeout=10,
        )
        assert answer.status_code == 204, answer.text

    def _walk(self, answer: requests.Response) -> requests.Response:
        """Follow redirects as far as they stay with the hub."""
        while answer.is_redirect:
            target = urljoin(answer.url, answer.headers["Location"])
            if urlsplit(target).netloc != self.hub.host:
                return answer
            answer = self.browser.get(target, allow_redirects=False, timeout=10)
        assert answer.ok, answer.text
        return answer


class Form(HTMLParser):
    """The only form of a page: its action and its fields."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action, self.fields = "", []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.action = found.get("action") or ""
        elif tag == "input" and found.get("name") and "disabled" not in found:
            self.fields.append((found["name"], found.get("value") or ""))


def authorize(client: Client, connection: Connection, visitor: Visitor) -> Flow:
    """Go the whole way: begin here, sign in and consent there, and come back."""
    consent = visitor.open(begin(client, connection))
    assert "Authorize access" in consent.text, consent.text
    back = urlsplit(visitor.submit(consent).headers["Location"])
    answer = client.get(f"{back.path}?{back.query}")
    assert answer.status_code == 303, answer.content.decode()
    return flow_at(answer["Location"])


@pytest.fixture
def carol(hub) -> Visitor:
    return Visitor(hub, "carol")


@pytest.fixture
def authorization(connection, carol, developer_client) -> Iterator[Authorization]:
    flow = authorize(developer_client, connection, carol)
    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    authorization = Authorization.objects.get(connection=connection)
    secret = authorization.credential.secret.reveal()
    yield authorization
    # Else the hub would let the next test's connection in without asking.
    if hub_knows(carol.hub, secret["access_token"]):
        carol.withdraw()


def hub_knows(hub: Hub, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"http://{hub.host}/hub/api/user", headers=headers, timeout=10).ok


def test_it_authorizes_as_the_account_that_consented(authorization, developer_client) -> None:
    assert authorization.state == Authorization.State.ACTIVE
    assert authorization.missing_scopes == []
    assert authorization.credential.label == "carol"
    assert authorization.credential.account_id == "carol"
    page = developer_client.get(authorization.connection.get_absolute_url())
    assert "because JupyterHub gave no refresh token" in words_of(page)


def test_it_tells_on_the_hubs_page_what_is_asked_for(connection, carol, developer_client) -> None:
    page = carol.open(begin(developer_client, connection))
    assert "developer-console" in page.text
    assert "Your own resources" in page.text


def test_it_says_whose_account_answers_when_tested(authorization, developer_client) -> None:
    page = press(developer_client, "authorization_test", authorization)
    assert "It works: JupyterHub answered as carol." in page


def test_it_calls_the_hubs_api(authorization) -> None:
    exchange = invoke(get("/user"), state_of(authorization.connection))
    assert (exchange.status, exchange.problem) == (200, "")
    assert exchange.answer["name"] == "carol"
    assert authorization.credential.secret.reveal()["access_token"] not in repr(exchange)


def test_a_call_that_the_account_may_not_make_leaves_it_authorized(authorization) -> None:
    exchange = invoke(get("/info"), state_of(authorization.connection))
    assert (exchange.status, exchange.problem) == (403, "")
    authorization.refresh_from_db()
    assert authorization.state == Authorization.State.ACTIVE


def test_it_notices_in_a_test_that_access_was_withdrawn(
    authorization, carol, developer_client
) -> None:
    carol.withdraw()
    page = press(developer_client, "authorization_test", authorization)
    assert "JupyterHub refused this authorization" in page
    authorization.refresh_from_db()
    assert authorization.state == NEEDS_AUTHORIZATION


def test_it_notices_in_a_call_that_access_was_withdrawn(authorization, carol) -> None:
    carol.withdraw()
    exchange = invoke(get("/user"), state_of(authorization.connection))
    assert "JupyterHub refused this authorization" in exchange.problem
    assert exchange.authorize_url
    authorization.refresh_from_db()
    assert authorization.state == NEEDS_AUTHORIZATION


def test_it_says_that_revoking_has_to_be_done_at_the_hub_too(
    authorization, hub, developer_client
) -> None:
    token = authorization.credential.secret.reveal()["access_token"]
    page = press(developer_client, "authorization_revoke", authorization)
    assert "JupyterHub has no way to revoke access from here." in page
    authorization.refresh_from_db()
    assert authorization.state == Authorization.State.REVOKED
    assert authorization.credential is None
    assert hub_knows(hub, token)  # which is why it is said


def test_an_administrator_of_the_hub_gets_every_permission_that_is_offered(
    registered, connect, developer_client
) -> None:
    connection = connect(
        "jupyterhub",
        parameters={"scheme": "http", "host": registered.host},
        scopes=sorted(get_connector("jupyterhub").oauth2.actions),
    )
    flow = authorize(developer_client, connection, Visitor(registered, "ada"))
    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem
    authorization = Authorization.objects.get(connection=connection)
    assert authorization.missing_scopes == []
    exchange = invoke(get("/users"), state_of(connection))
    assert {user["name"] for user in exchange.answer} == {"ada", "carol"}


def press(client: Client, button: str, authorization: Authorization) -> str:
    answer = client.post(reverse(button, args=[authorization.pk]), follow=True)
    return answer.content.decode()
