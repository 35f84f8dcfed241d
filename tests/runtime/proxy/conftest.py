"""Programs that call a service on loopback through a connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache

from connections.calls import prepared_call
from connectors.definitions.registry import get_connectors
from console.gateway import routes
from console.invocations import log_writer
from console.keys import authentication, user_tokens
from console.keys.issuing import create_key
from tests.connectors.conftest import Service, resolving, service  # noqa: F401
from tests.connectors.conftest import listen as listening  # noqa: F401
from tests.runtime.proxy.nginx_path import SECRET, NginxPath, nginx_path
from tests.runtime.proxy.program import (
    ROUTE_SECONDS,
    Program,
    PythonPath,
    hang_up,
    leading_to,
    speaking,
)
from tests.servers import unavailable
from tests.setup import nginx_with_lua_is_there


@pytest.fixture(autouse=True)
def nothing_was_called_lately() -> Iterator[None]:
    """Forget what earlier tests have read, guessed and noted, and where they have called."""
    _forget_everything()
    yield
    _forget_everything()


def _forget_everything() -> None:
    cache.clear()
    for each in (
        authentication._holders,
        user_tokens._users,
        user_tokens._public_keys,
        prepared_call._prepared,
        routes._addresses,
    ):
        each.clear()
    log_writer.writer._rows.clear()
    hang_up()


@pytest.fixture
def listen(listening: Callable[..., Any]) -> Iterator[Callable[..., Any]]:  # noqa: F811
    """Start listeners, and hang up before they end: they speak until their callers go."""
    yield listening
    hang_up()


@pytest.fixture
def upstream(service: Service, settings: Any) -> Iterator[Service]:  # noqa: F811
    """Let a service that a test programs be the sandbox of the catalogue."""
    settings.SANDBOX_URL = service.url
    settings.ALLOWED_PRIVATE_HOSTS = [urlsplit(service.url).netloc]
    get_connectors.cache_clear()
    yield service
    get_connectors.cache_clear()


@pytest.fixture
def key_of(application, developer) -> Callable[..., str]:
    """Make a key of the application and return its text."""

    def make(environment: str = "development") -> str:
        organization = application.organization
        return create_key(application, organization, environment, developer, "A program")[1]

    return make


@pytest.fixture(scope="session")
def running_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NginxPath]:
    if not nginx_with_lua_is_there():
        unavailable("nginx with Lua is not installed (make test-setup)")
    with nginx_path(tmp_path_factory.mktemp("path") / "nginx") as running:
        yield running


@pytest.fixture(params=["python", "nginx"])
def data_path(request, settings, monkeypatch) -> Any:
    """Each way of a call through the console, one after the other."""
    if request.param == "python":
        return PythonPath()
    settings.GATEWAY_SECRET = SECRET
    monkeypatch.setattr(routes, "VALID_SECONDS", ROUTE_SECONDS)
    return request.getfixturevalue("running_nginx")


@pytest.fixture
def new_program(data_path) -> Callable[..., Program]:
    """Make a program with a key."""
    return lambda key="": Program(key=key, path=data_path)


@pytest.fixture
def program(new_program, key_of) -> Program:
    """A program in Development."""
    return new_program(key_of())


@pytest.fixture
def keyed(connect, grant):
    """A connection that acts with an API key."""
    connection = connect("sandbox_api_key", name="Orders", link_name="orders")
    grant(connection, secret={"key": "the-key-of-alice"})
    return connection


@pytest.fixture
def signed(connect, grant):
    """A connection that acts with an access token."""
    connection = connect(name="Customers", link_name="customers")
    grant(connection)
    return connection


@pytest.fixture
def serve(listen, settings) -> Iterator[Callable[..., Any]]:
    """Give a function that makes a raw server the service of the connections."""

    def start(answer: bytes, asked: list[bytes] | None = None, times: int = 1) -> Any:
        listener = listen(speaking(answer, asked, times))
        leading_to(listener, settings)
        return listener

    yield start
    get_connectors.cache_clear()
