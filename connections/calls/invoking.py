"""Make one call through a connection, and return everything about it except secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import AuthorizationRequired, CallRefused
from connections.calls.exchange import Exchange, ServiceRequest
from connections.calls.missing_scope import fix_of, missing_scopes
from connections.calls.readiness import ended_because, ensure_ready, how_to_fix
from connections.calls.signed_request import SignedRequest, Unauthorized
from connections.credentials.refreshing import NeedsAuthorization
from connections.credentials.unauthorized_response import call_and_retry
from connections.models import Credential
from connectors.api.auth_strategies import strategy_of
from connectors.definitions.auth_type import AuthType
from connectors.errors import ServiceBusy, ServiceError


def invoke(request: ServiceRequest, state: ConnectionState) -> Exchange:
    """Send a request through a connection and return the exchange.

    An access token that the service refuses is renewed once, and the request sent once more.
    Must not run in a transaction, as it waits for the service. Raise ``ServiceBusy``.
    """
    try:
        credential = ensure_ready(state)
    except CallRefused as error:
        return refused_exchange(request, state, error)
    signed = SignedRequest(request, credential)
    problem = authorize_url = reason_code = ""
    try:
        call_and_retry(credential, signed.send)
    except NeedsAuthorization as error:
        problem, authorize_url = f"{error} {how_to_fix(state)}", state.authorize_url
        reason_code = ended_because(state)
    except Unauthorized:
        pass  # it concerns this request only: the service's answer is shown
    except ServiceBusy:
        raise
    except ServiceError as error:
        problem = str(error)
        if not error.certain and request.method not in {"GET", "HEAD"}:
            service = credential.connector.name
            problem += f" It may have arrived: check in {service} before you run it again."
    exchange = _exchange(
        request,
        state,
        **signed.masked_fields(),
        problem=signed.mask(problem),
        authorize_url=authorize_url,
        reason_code=reason_code,
    )
    return _with_missing_scopes(exchange, state, credential)


def refused_exchange(
    request: ServiceRequest, state: ConnectionState, error: CallRefused
) -> Exchange:
    """Return the exchange of a call that was not made."""
    return _exchange(
        request,
        state,
        address=request.path,
        problem=str(error),
        authorize_url=state.authorize_url if isinstance(error, AuthorizationRequired) else "",
        reason_code=error.reason_code if isinstance(error, AuthorizationRequired) else "",
    )


def placeholder_values(state: ConnectionState) -> dict[str, str]:
    """Return what ``{{ connection.… }}`` may name in a call; never a secret.

    Raise ``CallRefused`` where the connection cannot act, or ``ServiceError``.
    """
    credential = ensure_ready(state)
    strategy = strategy_of(credential.auth_type)
    public = strategy.public(credential.connector, credential.open_secret())
    return {**public, **credential.values}


def _with_missing_scopes(
    exchange: Exchange, state: ConnectionState, credential: Credential
) -> Exchange:
    scopes = missing_scopes(
        credential.connector.oauth2 if credential.auth_type == AuthType.OAUTH2 else None,
        credential.scopes_granted,
        exchange.status,
        {name.lower(): value for name, value in exchange.answer_headers.items()},
        exchange.answer,
    )
    if not scopes:
        return exchange
    url, label = fix_of(state, scopes)
    return replace(exchange, missing_scopes=scopes, fix_url=url, fix_label=label)


def _exchange(request: ServiceRequest, state: ConnectionState, **fields: Any) -> Exchange:
    return Exchange(
        connection=state.snapshot.name,
        service=state.snapshot.definition.name,
        environment=state.environment,
        method=request.method,
        **fields,
    )
