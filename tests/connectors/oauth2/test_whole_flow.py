"""The OAuth 2 flow against a running authorization server: the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.api.check_call import check
from connectors.definitions.registry import get_connectors
from connectors.definitions.schema import Connector
from connectors.errors import CredentialRefused
from connectors.oauth2 import (
    access_token_request,
    authorization_request,
    refresh_request,
    revocation,
)
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import TokenResponse
from tests.sandbox.visitors import REDIRECT_URI, Browser
from tests.servers import SandboxServer, sandbox_server

CLIENT = ClientCredentials(client_id="console:1", client_secret="a secret: 100% & more")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    data: Path = tmp_path_factory.mktemp("sandbox")
    with sandbox_server(data) as server:
        server.register(CLIENT.client_id, REDIRECT_URI, secret=CLIENT.client_secret)
        yield server


@pytest.fixture
def connector(sandbox: SandboxServer, settings) -> Connector:
    """Return the sandbox connector of the catalogue, with the URLs of this test's server."""
    settings.ALLOWED_PRIVATE_HOSTS = [sandbox.url.removeprefix("http://")]
    offered = get_connectors()["sandbox"]

    def with_this_server(address: str) -> str:
        return address.replace(settings.SANDBOX_URL, sandbox.url)

    oauth2 = replace(
        offered.oauth2,
        authorization_endpoint=with_this_server(offered.oauth2.authorization_endpoint),
        token_endpoint=with_this_server(offered.oauth2.token_endpoint),
        revocation=replace(
            offered.oauth2.revocation, endpoint=with_this_server(offered.oauth2.revocation.endpoint)
        ),
    )
    check_settings = replace(offered.check, url=with_this_server(offered.check.url))
    return replace(
        offered,
        oauth2=oauth2,
        check=check_settings,
        api_base_url=with_this_server(offered.api_base_url),
    )


def code_for(connector: Connector, sandbox: SandboxServer, verifier: str) -> str:
    url = authorization_request.authorization_url(
        connector,
        client_id=CLIENT.client_id,
        redirect_uri=REDIRECT_URI,
        scopes=connector.oauth2.actions,
        state="st4te",
        code_verifier=verifier,
        values={},
    )
    with Browser(url=sandbox.url) as browser:
        browser.sign_in("alice", sandbox.demo_password)
        callback = browser.allow(url.removeprefix(sandbox.url))
    assert callback["state"] == "st4te"
    return callback["code"]


def exchange(connector: Connector, code: str, verifier: str) -> TokenResponse:
    return access_token_request.exchange_code(
        connector,
        client=CLIENT,
        code=code,
        redirect_uri=REDIRECT_URI,
        code_verifier=verifier,
        values={},
    )


def test_it_works(connector, sandbox) -> None:
    verifier = authorization_request.new_code_verifier()

    first = exchange(connector, code_for(connector, sandbox, verifier), verifier)
    account = check(connector, "oauth2", secret={"access_token": first.access_token}, values={})
    second = refresh_request.refresh(
        connector, client=CLIENT, refresh_token=first.refresh_token, values={}
    )

    assert account.label
    assert set(first.scopes or ()) == set(connector.oauth2.actions)
    assert first.expires_in
    assert second.access_token != first.access_token
    assert second.refresh_token != first.refresh_token

    held = {"access_token": second.access_token, "refresh_token": second.refresh_token}
    revocation.revoke(connector, client=CLIENT, tokens=held, values={})
    with pytest.raises(CredentialRefused):
        check(connector, "oauth2", secret=held, values={})
    with pytest.raises(CredentialRefused, match="no longer accepts"):
        refresh_request.refresh(
            connector, client=CLIENT, refresh_token=second.refresh_token, values={}
        )


def test_it_refuses_a_code_without_its_verifier(connector, sandbox) -> None:
    code = code_for(connector, sandbox, authorization_request.new_code_verifier())

    with pytest.raises(CredentialRefused, match="did not accept its own authorization code"):
        exchange(connector, code, authorization_request.new_code_verifier())


def test_a_code_works_once(connector, sandbox) -> None:
    verifier = authorization_request.new_code_verifier()
    code = code_for(connector, sandbox, verifier)
    exchange(connector, code, verifier)

    with pytest.raises(CredentialRefused, match="did not accept its own authorization code"):
        exchange(connector, code, verifier)
