"""Exchange of access tokens for long-lived ones, and their renewal before they expire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connectors.definitions.schema import Connector, TokenExchange
from connectors.errors import CredentialRefused
from connectors.oauth2 import access_token_request, refresh_request
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import TokenResponse
from tests.connectors.conftest import Service

CLIENT = ClientCredentials(client_id="abc", client_secret="s3cret & more")
SIXTY_DAYS = 60 * 24 * 3600


@pytest.fixture
def make_exchanging_connector(
    make_connector: Callable[..., Connector], service: Service
) -> Callable[..., Connector]:
    """Return a function that creates a connector with a token exchange at ``/longer``."""

    def make(**fields: Any) -> Connector:
        how = TokenExchange(
            endpoint=f"{service.url}/longer", grant_type="long", parameter="short_token"
        )
        given = {"token_endpoint_auth_method": "client_secret_post", "exchange": how}
        return make_connector(**{**given, **fields})

    return make


def exchange(connector: Connector) -> TokenResponse:
    return access_token_request.exchange_code(
        connector,
        client=CLIENT,
        code="c0de",
        redirect_uri="https://console.example/callback",
        code_verifier=None,
        values={},
    )


def refresh(connector: Connector, **more: Any) -> TokenResponse:
    return refresh_request.refresh(
        connector, client=CLIENT, refresh_token="long-1", values={}, **more
    )


def query(request: Any) -> dict[str, str]:
    return {name: value for name, (value,) in request.query.items()}


def test_a_code_gives_a_long_lived_token(make_exchanging_connector, service) -> None:
    service.answers({"access_token": "t0ken", "expires_in": SIXTY_DAYS, "scope": "read"})

    answer = exchange(make_exchanging_connector())

    first, second = service.asked
    assert (first.method, first.path) == ("POST", "/token")
    assert (second.method, second.path, second.body) == ("GET", "/longer", b"")
    assert query(second) == {
        "grant_type": "long",
        "short_token": "t0ken",
        "client_id": "abc",
        "client_secret": "s3cret & more",
    }
    assert answer.access_token == answer.refresh_token == "t0ken"
    assert answer.expires_in == answer.refresh_expires_in == SIXTY_DAYS


def test_the_access_token_itself_is_exchanged_again(make_exchanging_connector, service) -> None:
    service.answers({"access_token": "long-2", "expires_in": SIXTY_DAYS})
    kept: list[bytes] = []

    answer = refresh(make_exchanging_connector(), journal=kept.append)

    assert query(service.only)["short_token"] == "long-1"
    assert (answer.access_token, answer.refresh_token) == ("long-2", "long-2")
    assert kept == [service.body]


def test_a_renewal_can_differ_from_the_exchange(make_exchanging_connector, service) -> None:
    renewal = TokenExchange(
        endpoint=f"{service.url}/renew", grant_type="again", parameter="access_token", client=()
    )
    service.answers({"access_token": "long-2", "expires_in": SIXTY_DAYS})

    refresh(make_exchanging_connector(renewal=renewal))

    assert service.only.path == "/renew"
    assert query(service.only) == {"grant_type": "again", "access_token": "long-1"}


def test_an_exchange_can_be_a_form_with_only_the_secret(make_exchanging_connector, service) -> None:
    how = make_exchanging_connector().oauth2.exchange
    how = replace(how, method="POST", client=("client_secret",))
    service.answers({"access_token": "long-2"})

    refresh(make_exchanging_connector(exchange=how))

    assert service.only.query == {}
    assert service.only.form == {
        "grant_type": ["long"],
        "short_token": ["long-1"],
        "client_secret": ["s3cret & more"],
    }


def test_fields_of_the_first_token_are_kept(make_exchanging_connector, service) -> None:
    # The service sends the same response twice; that of the exchange adds no scopes.
    service.answers({"person": {"access_token": "t0ken", "scope": "read"}, "access_token": "flat"})
    answer = exchange(make_exchanging_connector(token_path="person"))
    assert (answer.access_token, answer.scopes) == ("t0ken", ("read",))


def test_an_expired_token_requires_a_new_authorization(make_exchanging_connector, service) -> None:
    connector = replace(make_exchanging_connector(), error_codes={"190": "invalid_grant"})
    body = {"error": {"message": "Session has expired", "code": 190}}
    service.answers(body, status=400)
    with pytest.raises(CredentialRefused, match="190: Session has expired"):
        refresh(connector)


def test_tokens_are_not_logged(make_exchanging_connector, service, assert_not_logged) -> None:
    service.answers({"access_token": "t0ken-secret"})
    with assert_not_logged("t0ken-secret", "s3cret", "c0de"):
        exchange(make_exchanging_connector())
