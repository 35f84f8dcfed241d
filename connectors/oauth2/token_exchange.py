"""Exchange an access token for one that lives longer, at services without refresh tokens (Meta).

The new token is what the next exchange needs, so ``parse_token_response`` returns it as the
refresh token too. Code that refreshes a credential does not need to know about the exchange.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from oauthlib.oauth2 import Client
from oauthlib.oauth2.rfc6749.parameters import prepare_token_request

from connectors.definitions.schema import Connector, TokenExchange
from connectors.definitions.templates import fill_url
from connectors.oauth2.client_authentication import (
    ClientCredentials,
    no_authentication,
    oauth2_settings,
)
from connectors.oauth2.token_response import TokenResponse
from connectors.oauth2.token_session import Journal, TokenSession


class ExtensionGrantClient(Client):
    """oauthlib client for a grant type of the service's own (RFC 6749 section 4.5)."""

    def __init__(self, client_id: str, grant_type: str) -> None:
        super().__init__(client_id)
        self.grant_type = grant_type

    def prepare_request_body(self, *args: Any, body: str = "", **fields: Any) -> str:
        """Return the form of the token request."""
        fields["client_id"] = self.client_id
        form: str = prepare_token_request(self.grant_type, body=body, **fields)
        return form


def exchange_first_token(
    connector: Connector,
    first: TokenResponse,
    *,
    client: ClientCredentials,
    values: Mapping[str, str],
) -> TokenResponse:
    """Exchange the token that a code was exchanged for, if the definition says so.

    Scopes and kept fields of the first response are merged into the second.
    """
    exchange = oauth2_settings(connector).exchange
    if exchange is None:
        return first
    second = exchange_token(
        connector, exchange, first.access_token, client=client, values={**values, **first.kept}
    )
    scopes = first.scopes if second.scopes is None else second.scopes
    return replace(second, scopes=scopes, kept={**first.kept, **second.kept})


def exchange_token(
    connector: Connector,
    exchange: TokenExchange,
    token: str,
    *,
    client: ClientCredentials,
    values: Mapping[str, str],
    journal: Journal | None = None,
) -> TokenResponse:
    """Exchange a token; raise ``ServiceError``. ``journal`` as in ``exchange_code``."""
    fields = {exchange.parameter: token}
    if "client_secret" in exchange.client:
        fields["client_secret"] = client.client_secret
    with TokenSession(
        connector,
        client,
        values,
        oauth_client=ExtensionGrantClient(client.client_id, exchange.grant_type),
        secrets=(token,),
        refreshing=True,
        journal=journal,
    ) as session:
        session.fetch_token(
            fill_url(exchange.endpoint, values),
            method=exchange.method,
            headers={"Accept": "*/*"},
            body=urlencode(fields),
            auth=no_authentication,
            include_client_id="client_id" in exchange.client,
        )
    return session.token_response
