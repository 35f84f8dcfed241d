"""Trade an access token for one that lasts longer, at services without refresh tokens (Meta).

What renews such a token is the token itself, so it stands where a refresh token would:
``read_token_answer`` puts it there, and whoever refreshes need not know of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from connectors.definitions.schema import Connector, TokenExchange
from connectors.definitions.templates import fill_url
from connectors.http import http_client
from connectors.oauth2.client_authentication import ClientCredentials, settings_of
from connectors.oauth2.token_response import TokenAnswer, read_token_answer


def lasting(
    connector: Connector,
    first: TokenAnswer,
    *,
    client: ClientCredentials,
    values: Mapping[str, str],
) -> TokenAnswer:
    """Return what the first token of a code is traded for, with all else that came with it."""
    how = settings_of(connector).exchange
    if how is None:
        return first
    longer = trade(
        connector, how, first.access_token, client=client, values={**values, **first.kept}
    )
    scopes = first.scopes if longer.scopes is None else longer.scopes
    return replace(longer, scopes=scopes, kept={**first.kept, **longer.kept})


def trade(
    connector: Connector,
    how: TokenExchange,
    token: str,
    *,
    client: ClientCredentials,
    values: Mapping[str, str],
    journal: Callable[[bytes], None] | None = None,
) -> TokenAnswer:
    """Ask for the longer token; raise ``ServiceError``. ``journal`` as in ``oauth2.exchange``."""
    oauth2 = settings_of(connector)
    proof = {
        oauth2.client_id_parameter: client.client_id,
        "client_secret": client.client_secret,
    }
    if "client_id" not in how.client:
        del proof[oauth2.client_id_parameter]
    if "client_secret" not in how.client:
        del proof["client_secret"]
    asked = {"grant_type": how.grant_type, how.parameter: token, **proof}
    answer = http_client.send(
        how.method,
        fill_url(how.endpoint, values),
        service=connector.name,
        params=asked if how.method == "GET" else None,
        form=asked if how.method == "POST" else None,
        grants=True,
    )
    if journal and answer.status < 300:
        journal(answer.body)
    return read_token_answer(
        connector,
        oauth2,
        answer,
        values=values,
        sent=(token, client.client_secret),
        refreshing=True,
    )
