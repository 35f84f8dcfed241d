"""Access token request: exchange an authorization code (RFC 6749 section 4.1.3)."""

from __future__ import annotations

from collections.abc import Mapping

from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill_url
from connectors.oauth2.client_authentication import ClientCredentials, oauth2_settings
from connectors.oauth2.token_exchange import exchange_first_token
from connectors.oauth2.token_response import TokenResponse
from connectors.oauth2.token_session import Journal, TokenSession


def exchange_code(
    connector: Connector,
    *,
    client: ClientCredentials,
    code: str,
    redirect_uri: str,
    code_verifier: str | None,
    values: Mapping[str, str],
    journal: Journal | None = None,
) -> TokenResponse:
    """Exchange a code for tokens; raise ``ServiceError``.

    ``redirect_uri`` must equal the one of the authorization request. ``journal`` receives the
    raw body of the response before it is parsed. No scopes are sent: the service grants those of
    the authorization request. If the service exchanges the first token for one that lives
    longer, that is done here too.
    """
    oauth2 = oauth2_settings(connector)
    with TokenSession(
        connector,
        client,
        values,
        redirect_uri=redirect_uri,
        secrets=(code, code_verifier or ""),
        journal=journal,
        form=oauth2.token_parameters,
        body_format=oauth2.token_request,
    ) as session:
        session.fetch_token(
            fill_url(oauth2.token_endpoint, values),
            code=code,
            code_verifier=code_verifier if oauth2.pkce else None,
            auth=session.client_auth,
            include_client_id=session.client_auth is None,
            client_secret=session.client_fields.get("client_secret"),
        )
    return exchange_first_token(connector, session.token_response, client=client, values=values)
