"""A real console behind a real nginx, and services on loopback whose answers tests write."""

from __future__ import annotations

import multiprocessing
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.connectors.http.test_http_client_tls import DAY, NOW, certificate
from tests.gateway.nginx_server import SECRET, Nginx, nginx
from tests.gateway.rows import ConnectionRow, Keys, fill
from tests.gateway.scripted_service import ScriptedService, scripted_service
from tests.security.served_console import SERVICE, Served, served
from tests.servers import ROOT, unavailable
from tests.setup import nginx_with_lua_is_there

#: Shorter than in production, so that tests of time limits are short.
PROXY_SECONDS = 2
IN_QUERY = """
[api_key]
fields = [{ name = "key", label = "API key" }]

[api_key.signing]
query = "api_key"
value = "{key}"
"""
OAUTH2 = """
[oauth2]
authorization_endpoint = "{url}/oauth/authorize/"
token_endpoint = "{url}/oauth/token/"
pkce = true
token_endpoint_auth_method = "client_secret_basic"
all_actions = ["read"]

[[oauth2.modules]]
name = "Items"
actions = [{{ scope = "read", action = "Read", sentence = "See your items." }}]
"""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """A console, nginx in front of it, and the services of its connections."""

    console: Served
    nginx: Nginx
    services: Mapping[str, ScriptedService]
    keys: Keys

    @property
    def item(self) -> ScriptedService:
        return self.services["item"]

    def url(self, link_name: str, path: str, *, of: str = "nginx") -> str:
        origin = self.nginx.url if of == "nginx" else self.console.url
        return f"{origin}/api/v1/connections/{link_name}/proxy{path}"

    def call(
        self,
        path: str = "/x",
        link_name: str = "item",
        *,
        of: str = "nginx",
        method: str = "GET",
        key: str = "",
        headers: Mapping[str, str] | None = None,
        **more: object,
    ) -> requests.Response:
        sent = {"Authorization": f"Bearer {key or self.keys.key}", "Accept-Encoding": "identity"}
        return requests.request(
            method,
            self.url(link_name, path, of=of),
            headers={**sent, **(headers or {})},
            timeout=20,
            allow_redirects=False,
            **more,
        )

    def raw(self, request: bytes, *, of: str = "nginx") -> bytes:
        """Send bytes and return the whole response; the request must ask to close."""
        parts = urlsplit(self.nginx.url if of == "nginx" else self.console.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
            sock.sendall(request)
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        return answer

    def log(self) -> list[tuple]:
        """Return the log of calls, once all lines have been written."""
        time.sleep(1.3)
        return self.console.rows(
            "SELECT method, path, status, problem, bytes_in, bytes_out, key_prefix, "
            "connection_id, application_id, environment, host FROM invocations_invocation"
        )


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    if not nginx_with_lua_is_there():
        unavailable("nginx with Lua is not installed (make test-setup)")
    folder = tmp_path_factory.mktemp("gateway")
    right, wrong = _context(folder / "right"), _context(folder / "wrong", "other.example")
    with (
        scripted_service() as item,
        scripted_service() as query,
        scripted_service() as oauth,
        scripted_service(right, "localhost") as tls,
        scripted_service(wrong, "localhost") as stranger,
        scripted_service() as private,
    ):
        services = {
            "item": item, "query": query, "oauth": oauth, "tls": tls, "stranger": stranger,
            "private": private,
        }  # fmt: skip
        catalogue = folder / "catalogue"
        catalogue.mkdir()
        for name, service in services.items():
            text = SERVICE.format(name=name.title(), url=service.url)
            if name == "query":
                text = text[: text.index("[api_key]")] + IN_QUERY
            elif name == "oauth":
                text = text[: text.index("[api_key]")] + OAUTH2.format(url=service.url)
            (catalogue / f"{name}.toml").write_text(text)
        rows = {
            name: ConnectionRow(connector=name, secret={"key": f"canary-key-of-{name}"})
            for name in services
            if name != "oauth"
        }
        rows["again"] = ConnectionRow(connector="item", secret={"key": "canary-key-of-again"})
        rows["mine"] = ConnectionRow(
            connector="item", secret={"key": "canary-key-of-mine"}, per_person=True
        )
        # A token is renewed early once, so each test of that has a connection of its own.
        for number in range(8):
            rows[f"oauth_{number}"] = ConnectionRow(
                connector="oauth",
                secret={
                    "access_token": f"canary-access-token-{number}",
                    "refresh_token": f"canary-refresh-token-{number}",
                },
                auth_type="oauth2",
                ends_in=20 if number == 7 else None,
            )
        allowed = [urlsplit(each.url).netloc for each in services.values() if each is not private]
        environment = {
            "PROXY_CALLS_AT_ONCE_PER_SERVICE": "24",
            "DATABASE_URL": f"sqlite:///{folder}/rows.sqlite3",
            "SANDBOX_URL": item.url,
            "EXTRA_CATALOGUES": str(catalogue),
            "ALLOWED_PRIVATE_HOSTS": ",".join(allowed),
            "ALLOWED_HOSTS": "localhost",
            "PYTHONPATH": str(ROOT),
            "GATEWAY_SECRET": SECRET,
            "PROXY_SECONDS": str(PROXY_SECONDS),
            "PROXY_MAX_ANSWER_BYTES": "5000000",
            "LOG_LEVEL": "INFO",
        }
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            keys = process.submit(fill, environment, rows).result()
        bundle = folder / "bundle.pem"
        bundle.write_bytes(
            (folder / "right" / "localhost.pem").read_bytes()
            + (folder / "wrong" / "other.example.pem").read_bytes()
        )
        with (
            served(environment, keys.key, folder) as console,
            nginx(folder / "nginx", console.url, bundle=str(bundle)) as proxy,
        ):
            yield Deployment(console=console, nginx=proxy, services=services, keys=keys)


@pytest.fixture
def paths(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment, whose services have forgotten what earlier tests wrote and sent."""
    for service in deployment.services.values():
        service.forget()
    yield deployment


def _context(folder: Path, name: str = "localhost") -> ssl.SSLContext:
    folder.mkdir()
    file = certificate(folder, name=name, ends=NOW + DAY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
