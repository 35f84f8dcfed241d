"""Give a grant back: RFC 7009 as it stands, or the service's own way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connectors import outbound
from connectors.answers import has_failed, parse_token_body
from connectors.client_authentication import ClientCredentials, Sign, authentication, settings_of
from connectors.definition import Connector, OAuth2, Revocation
from connectors.templating import fill_url
from connectors.tokens import refusal


def revoke(
    connector: Connector,
    *,
    client: ClientCredentials,
    tokens: Mapping[str, str],
    values: Mapping[str, str],
) -> None:
    """Give a grant back (RFC 7009, or the service's own way); raise ``ServiceError``.

    A token that the service does not know any more counts as given back.
    """
    oauth2 = settings_of(connector)
    how = oauth2.revocation
    token = how and (tokens.get(how.token) or tokens.get("access_token"))
    if not how or not token:
        return
    known = {**values, "client_id": client.client_id, "token": token}
    answer = outbound.send(
        how.method,
        fill_url(how.endpoint, known),
        service=connector.name,
        **_revocation_request(how, token, *authentication(oauth2, client, how)),
    )
    _refuse_revocation(connector, oauth2, answer, sent=(token, client.client_secret))


def _revocation_request(
    how: Revocation, token: str, sign: Sign | None, form: dict[str, str]
) -> dict[str, Any]:
    """Put the token where the service wants it."""
    named = {how.parameter: token}
    if how.placed == "form":
        return {"auth": sign, "form": {**named, **form}}
    if how.placed == "json":
        return {"auth": sign, "json": {**named, **form}}
    if how.placed == "query":
        return {"auth": sign, "params": named, "form": form or None}
    if how.placed == "bearer":
        return {"headers": {"Authorization": f"Bearer {token}"}, "form": form or None}
    return {"auth": sign, "form": form or None}


def _refuse_revocation(
    connector: Connector, oauth2: OAuth2, answer: outbound.Answer, *, sent: tuple[str, ...]
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
