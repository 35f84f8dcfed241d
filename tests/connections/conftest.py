"""A running sandbox, an OAuth client for it, and two people with accounts there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as configured
from django.urls import reverse

from connections.authorizations.connection_state import ConnectionState
from connections.models import Connection, OAuthClient
from connectors.definitions.registry import get_connectors
from tests.connections.call_helpers import state_of
from tests.connections.flow_steps import authorize
from tests.sandbox.visitors import Browser
from tests.servers import SandboxServer, sandbox_server

CLIENT_ID = "developer-console"
CLIENT_SECRET = "console-secret-0123456789"  # only in these tests
#: The contexts in which a test may register this console.
REFERENCES = (
    "sandbox",
    "studio--sandbox",
    "elsewhere--sandbox",
    "client--sandbox",
    "sandbox--development",
    "sandbox--stage",
)


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with sandbox_server(tmp_path_factory.mktemp("sandbox")) as server:
        addresses = [f"{configured.PUBLIC_URL}/oauth/callback/{name}/" for name in REFERENCES]
        server.register(CLIENT_ID, *addresses, secret=CLIENT_SECRET, name="Console")
        yield server


@pytest.fixture
def sandbox(running: SandboxServer, settings: Any) -> Iterator[SandboxServer]:
    """Reset the sandbox and add it to the console's catalogue."""
    running.reset()
    settings.SANDBOX_URL = running.url
    settings.ALLOWED_PRIVATE_HOSTS = [urlsplit(running.url).netloc]
    get_connectors.cache_clear()
    yield running
    get_connectors.cache_clear()


@pytest.fixture
def oauth_client(db: None, sandbox: SandboxServer) -> OAuthClient:
    return OAuthClient.objects.create(
        connector_slug="sandbox", client_id=CLIENT_ID, client_secret=CLIENT_SECRET
    )


@pytest.fixture(scope="session")
def alice(running: SandboxServer) -> Iterator[Browser]:
    with Browser(url=running.url) as browser:
        browser.sign_in("alice", running.demo_password)
        yield browser


@pytest.fixture(scope="session")
def bob(running: SandboxServer) -> Iterator[Browser]:
    with Browser(url=running.url) as browser:
        browser.sign_in("bob", running.demo_password)
        yield browser


@pytest.fixture
def start(developer_client) -> Callable[[str], Connection]:
    """Return a function that selects a connector in the gallery."""

    def press(slug: str) -> Connection:
        developer_client.post(reverse("draft_start", args=[slug]))
        return Connection.objects.drafts().get(connector_slug=slug)

    return press


@pytest.fixture
def connection(connect, developer_client, alice, sandbox, oauth_client) -> Connection:
    """Create a sandbox connection that alice has authorized, then reset the sandbox's counters."""
    connection = connect()
    authorize(developer_client, connection, alice)
    sandbox.reset()
    return connection


@pytest.fixture
def acting(connect, grant) -> Callable[..., ConnectionState]:
    """Return a function that creates an authorized connection and returns its state."""

    def make(connector: str = "sandbox", **fields: Any) -> ConnectionState:
        connection = connect(connector, name="Customers")
        grant(connection, **fields)
        return state_of(connection)

    return make
