"""Refresh request: get a new access token (RFC 6749 section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill_url
from connectors.oauth2.client_authentication import ClientCredentials, oauth2_settings
from connectors.oauth2.token_exchange import exchange_token
from connectors.oauth2.token_response import TokenResponse
from connectors.oauth2.token_session import Journal, TokenSession


def refresh(
    connector: Connector,
    *,
    client: ClientCredentials,
    refresh_token: str,
    values: Mapping[str, str],
    scopes: Sequence[str] = (),
    journal: Journal | None = None,
) -> TokenResponse:
    """Refresh the access token; raise ``ServiceError``.

    A response without a refresh token means that the old one stays valid. ``scopes`` are the
    granted ones; they are sent only if the definition says so. ``journal`` receives the raw body
    of the response before it is parsed. At a service without refresh tokens, ``refresh_token``
    is the access token to exchange for the next one (``token_exchange.py``).
    """
    oauth2 = oauth2_settings(connector)
    if exchange := oauth2.renewal or oauth2.exchange:
        return exchange_token(
            connector, exchange, refresh_token, client=client, values=values, journal=journal
        )
    with TokenSession(
        connector,
        client,
        values,
        secrets=(refresh_token,),
        refreshing=True,
        journal=journal,
        body_format=oauth2.token_request,
    ) as session:
        if oauth2.refresh_scope and scopes:
            session.scope = oauth2.scope_separator.join(scopes)
        session.refresh_token(
            fill_url(oauth2.refresh_endpoint or oauth2.token_endpoint, values),
            refresh_token=refresh_token,
            auth=session.client_auth,
            **dict[str, Any](session.client_fields),
        )
    return session.token_response
