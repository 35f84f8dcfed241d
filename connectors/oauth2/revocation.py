"""Revocation request: revoke tokens by RFC 7009, or in the service's own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.definitions.schema import Connector, OAuth2Auth, Revocation
from connectors.definitions.templates import fill_url
from connectors.errors import ClientRefused, ServiceError, ServiceRefused
from connectors.http.http_client import ServiceResponse, response_values
from connectors.http.payloads import is_error, parse_token_body
from connectors.oauth2.client_authentication import (
    ClientCredentials,
    authentication,
    no_authentication,
    oauth2_settings,
)
from connectors.oauth2.token_response import error_for
from connectors.oauth2.token_session import TokenSession


@dataclass(frozen=True, kw_only=True)
class TokensRevoked:
    """The names of the tokens that a service revoked, and the errors for the others."""

    revoked: tuple[str, ...] = ()
    refused: Mapping[str, ServiceError] = field(default_factory=dict)

    def raise_refusal(self) -> None:
        """Raise the error for the first token that was not revoked, if there is one."""
        for error in self.refused.values():
            raise error


def revoke(
    connector: Connector,
    *,
    client: ClientCredentials,
    tokens: Mapping[str, str],
    values: Mapping[str, str],
) -> TokensRevoked:
    """Ask the service to revoke the tokens that it accepts for revocation.

    A token that the service does not know counts as revoked (RFC 7009 section 2.2). After an
    outage, or an error about the OAuth client, the remaining tokens are not sent.
    """
    revocation = oauth2_settings(connector).revocation
    if revocation is None:
        return TokensRevoked()
    names = [name for name in revocation.tokens_sent if tokens.get(name)]
    # Without a refresh token, the access token is the grant.
    names = names or ["access_token"] * bool(tokens.get("access_token"))
    revoked: list[str] = []
    refused: dict[str, ServiceError] = {}
    for name in names:
        try:
            _revoke(connector, revocation, name, tokens[name], client, values)
        except ServiceError as error:
            refused[name] = error
            if not _is_about_the_token(error):
                refused |= dict.fromkeys(names[names.index(name) :], error)
                break
        else:
            revoked.append(name)
    return TokensRevoked(revoked=tuple(revoked), refused=refused)


def _is_about_the_token(error: ServiceError) -> bool:
    """Return whether the error is about this token only, so that the next one may succeed."""
    if not isinstance(error, ServiceRefused) or isinstance(error, ClientRefused):
        return False
    return error.status is None or (error.status < 500 and error.status != 429)


def _revoke(
    connector: Connector,
    revocation: Revocation,
    name: str,
    token: str,
    client: ClientCredentials,
    values: Mapping[str, str],
) -> None:
    """Send one revocation request; raise ``ServiceError`` unless the token is revoked."""
    known = {**values, "client_id": client.client_id, "token": token}
    with TokenSession(connector, client, values, secrets=(token,)) as session:
        auth, fields = authentication(session.oauth2, client, revocation)
        response = session.request(
            revocation.method,
            fill_url(revocation.endpoint, known),
            withhold_token=True,
            **{"auth": auth, **_revocation_request(revocation, name, token, fields)},
        )
    _raise_for_refusal(
        connector,
        session.oauth2,
        response_values(response, service=connector.name),
        secrets=session.secrets,
    )


def _revocation_request(
    revocation: Revocation, name: str, token: str, fields: dict[str, str]
) -> dict[str, Any]:
    """Put the token where the service expects it."""
    parameter = {revocation.parameter: token}
    if revocation.placed == "form":
        hint = {"token_type_hint": name} if revocation.hints else {}
        return {"data": {**parameter, **hint, **fields}}
    if revocation.placed == "json":
        return {"json": {**parameter, **fields}}
    if revocation.placed == "query":
        return {"params": parameter, "data": fields or None}
    if revocation.placed == "bearer":
        bearer = {"Authorization": f"Bearer {token}"}
        return {"headers": bearer, "auth": no_authentication, "data": fields or None}
    return {"data": fields or None}


def _raise_for_refusal(
    connector: Connector,
    oauth2: OAuth2Auth,
    response: ServiceResponse,
    *,
    secrets: tuple[str, ...],
) -> None:
    response.refuse_outage()
    try:
        document = parse_token_body(response.body)
    except ValueError:
        document = {}
    failed = is_error(document, oauth2.error_when)
    if response.status < 300 and not failed and "error" not in document:
        return
    error = error_for(connector, response, document, secrets=secrets, refreshing=True)
    if connector.standard_code(error.code) not in {"invalid_grant", "invalid_token"}:
        raise error
