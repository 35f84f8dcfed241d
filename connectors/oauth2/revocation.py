"""Revoke a grant: RFC 7009 as it stands, or the service's own way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.definitions.schema import Connector, OAuth2Auth, Revocation
from connectors.definitions.templates import fill_url
from connectors.errors import ClientRefused, ServiceError, ServiceRefused
from connectors.http import http_client
from connectors.http.payloads import has_failed, parse_token_body
from connectors.oauth2.client_authentication import (
    ClientCredentials,
    Sign,
    authentication,
    settings_of,
)
from connectors.oauth2.token_response import refusal


@dataclass(frozen=True, kw_only=True)
class RevocationAnswer:
    """What a service did with each token that it was asked to revoke, by the token's name."""

    revoked: tuple[str, ...] = ()
    refused: Mapping[str, ServiceError] = field(default_factory=dict)

    def raise_refusal(self) -> None:
        """Raise what the service said of the first token that it did not revoke."""
        for error in self.refused.values():
            raise error


def revoke(
    connector: Connector,
    *,
    client: ClientCredentials,
    tokens: Mapping[str, str],
    values: Mapping[str, str],
) -> RevocationAnswer:
    """Ask a service to revoke the tokens that it takes back, and return what it did.

    A token that the service does not know any more is revoked (RFC 7009 section 2.2). After an
    outage, or a no to the OAuth client itself, nothing more is asked.
    """
    oauth2 = settings_of(connector)
    how = oauth2.revocation
    if how is None:
        return RevocationAnswer()
    names = [name for name in how.tokens_sent if tokens.get(name)]
    # Where no refresh token was given, the access token is the grant.
    names = names or ["access_token"] * bool(tokens.get("access_token"))
    revoked: list[str] = []
    refused: dict[str, ServiceError] = {}
    for name in names:
        try:
            _revoke(connector, oauth2, how, name, tokens[name], client, values)
        except ServiceError as error:
            refused[name] = error
            if not _is_about_the_token(error):
                refused |= dict.fromkeys(names[names.index(name) :], error)
                break
        else:
            revoked.append(name)
    return RevocationAnswer(revoked=tuple(revoked), refused=refused)


def _is_about_the_token(error: ServiceError) -> bool:
    """Tell whether a service refused the one token, and may well take the next."""
    if not isinstance(error, ServiceRefused) or isinstance(error, ClientRefused):
        return False
    return error.status is None or (error.status < 500 and error.status != 429)


def _revoke(
    connector: Connector,
    oauth2: OAuth2Auth,
    how: Revocation,
    name: str,
    token: str,
    client: ClientCredentials,
    values: Mapping[str, str],
) -> None:
    known = {**values, "client_id": client.client_id, "token": token}
    answer = http_client.send(
        how.method,
        fill_url(how.endpoint, known),
        service=connector.name,
        grants=True,
        **_revocation_request(how, name, token, *authentication(oauth2, client, how)),
    )
    _refuse_revocation(connector, oauth2, answer, sent=(token, client.client_secret))


def _revocation_request(
    how: Revocation, name: str, token: str, sign: Sign | None, form: dict[str, str]
) -> dict[str, Any]:
    """Put the token where the service wants it."""
    named = {how.parameter: token}
    if how.placed == "form":
        hint = {"token_type_hint": name} if how.hints else {}
        return {"auth": sign, "form": {**named, **hint, **form}}
    if how.placed == "json":
        return {"auth": sign, "json": {**named, **form}}
    if how.placed == "query":
        return {"auth": sign, "params": named, "form": form or None}
    if how.placed == "bearer":
        return {"headers": {"Authorization": f"Bearer {token}"}, "form": form or None}
    return {"auth": sign, "form": form or None}


def _refuse_revocation(
    connector: Connector,
    oauth2: OAuth2Auth,
    answer: http_client.ServiceResponse,
    *,
    sent: tuple[str, ...],
) -> None:
    answer.refuse_outage()
    try:
        document = parse_token_body(answer.body)
    except ValueError:
        document = {}
    failed = has_failed(document, oauth2.error_when)
    if answer.status < 300 and not failed and "error" not in document:
        return
    error = refusal(connector, answer, document, sent=sent, refreshing=True)
    if connector.standard_code(error.code) not in {"invalid_grant", "invalid_token"}:
        raise error
