"""The data path reaches only what was registered (security.md X1 to X4, promise 8)."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from connections.models import Connection, Credential
from connectors.definitions.registry import get_connectors
from connectors.errors import ServiceError
from connectors.http.connection_pool import CallLimits
from connectors.http.ssrf import parse_destination
from connectors.http.stream import stream_request
from tests.connectors.http.test_http_client import LITERALS
from tests.connectors.http.test_ssrf import PRIVATE, TRICKS
from tests.runtime.proxy.program import hang_up, on_loop, test_loop

QUICK = CallLimits(connect=0.3, seconds=0.3)
OWN_HOST = """
name = "Own Host"
category = "Sandbox"
summary = "A service at a host that the developer types in."
documentation = "https://example.com/"
sources = ["https://example.com/"]
read_on = "2026-11-24"
sandbox = true
api_base_url = "https://{host}/api"
check = { path = "/me" }

[[parameters]]
name = "host"
label = "Address"
pattern = '[a-z0-9-]+\\.example\\.com'
example = "api.example.com"
is_host = true

[api_key]
fields = [{ name = "key", label = "API key" }]

[api_key.signing]
header = "X-Api-Key"
value = "{key}"
"""


def _written(literal: str) -> str:
    return f"[{literal}]" if ":" in literal and not literal.startswith("[") else literal


@pytest.fixture
def canary(listen, settings) -> Any:
    settings.ALLOWED_PRIVATE_HOSTS = []
    return listen()


@pytest.fixture
def typed(settings, tmp_path, connect, grant) -> Iterator[Any]:
    """Give a function that types an address into a new connection, and returns its link name."""
    (tmp_path / "own_host.toml").write_text(OWN_HOST)
    settings.EXTRA_CATALOGUES = [str(tmp_path)]
    get_connectors.cache_clear()
    numbers = itertools.count()

    def type_in(host: str) -> str:
        name = f"own_host_{next(numbers)}"
        connection = connect("own_host", link_name=name, name=name)
        grant(connection, secret={"key": "the-key-of-alice"})
        pk = connection.pk
        Connection.objects.filter(pk=pk).update(parameters={"host": host})
        rows = Credential.objects.filter(authorizations__connection=pk)
        rows.update(parameters={"host": host})
        return name

    yield type_in
    get_connectors.cache_clear()


def call(url: str) -> None:
    place = parse_destination(url, service="Zoho CRM")
    target = place.target_of(url, service="Zoho CRM")
    on_loop(
        stream_request(
            "GET", place, target, service="Zoho CRM", credential=1, headers={}, limits=QUICK
        )
    )


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", [*LITERALS, *map(_written, PRIVATE)])
def test_no_address_of_a_private_network_is_reached(canary, scheme, host):
    with pytest.raises(ServiceError) as caught:
        url = f"{scheme}://{host}:{canary.port}/"
        call(url)
    assert caught.value.certain
    assert canary.connections == 0


@pytest.mark.parametrize("url", TRICKS)
def test_no_address_is_read_in_two_ways(canary, url):
    with pytest.raises(ServiceError):
        call(url)
    assert canary.connections == 0


def test_nothing_that_is_typed_in_leads_there(canary, program, typed):
    """The host, the path, the query, and the headers: every place that holds an address."""
    public = typed("api.example.invalid")
    for host in [*LITERALS, *map(_written, PRIVATE)]:
        answer = program.get(typed(f"{host}:{canary.port}"))
        assert answer.status in {409, 502, 503}, host
        address = f"http://{host}:{canary.port}/"
        headers = {"Host": host, "X-Forwarded-Host": host, "X-Original-Url": "/x"}
        if address.isascii():
            answer = program.get(public, f"/{address}", query=f"url={host}", headers=headers)
            assert answer.status in {400, 502, 504}, host
    assert canary.connections == 0


def test_the_canary_can_be_reached_where_it_is_allowed(canary, program, typed, settings):
    """The positive control: by the same way, with nothing but the operator's word changed."""
    for host in ("127.0.0.1", "localhost"):  # nginx itself calls names, not numbers
        before = canary.connections
        settings.ALLOWED_PRIVATE_HOSTS = [f"{host}:{canary.port}"]
        answer = program.get(typed(f"{host}:{canary.port}"))
        assert answer.problem == "service-unreachable"
        if program.is_nginx:
            assert answer.is_by_nginx is (host == "localhost")
        assert canary.connections > before


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_redirect_is_followed(listen, upstream, program, keyed, settings, status, method):
    canary = listen()
    # Even where the console may call it: what forbids it is that nobody asked for it.
    settings.ALLOWED_PRIVATE_HOSTS += [f"127.0.0.1:{canary.port}"]
    location = f"http://127.0.0.1:{canary.port}/"
    upstream.answers(b"", status, Location=location)
    answer = program.call(method, "orders")
    assert (answer.status, answer.all("Location")) == (status, [location])
    assert canary.connections == 0


def test_a_name_that_changes_its_mind_reaches_nothing(canary, resolving, monkeypatch):
    """1,000 times the name is public when it is judged and this machine a moment later."""
    connected: list[Any] = []

    async def connect(sock: socket.socket, address: Any) -> None:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(test_loop.loop, "sock_connect", connect)
    for _ in range(1000):
        resolving(["1.1.1.1"], ["127.0.0.1"])
        with pytest.raises(ServiceError):
            url = f"https://rebind.example:{canary.port}/"
            call(url)
        hang_up()
    assert connected == ["1.1.1.1"] * 1000
    assert canary.connections == 0


def test_each_new_connection_is_judged_anew(listen, resolving, settings):
    """A kept connection is no leave for the next one: the name may lead elsewhere by then."""
    canary = listen()
    resolving(["127.0.0.1"])
    settings.ALLOWED_PRIVATE_HOSTS = []
    for _ in range(2):
        with pytest.raises(ServiceError, match="private network"):
            url = f"https://rebind.example:{canary.port}/"
            call(url)
    assert canary.connections == 0
