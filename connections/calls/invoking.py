"""Make one call through a connection, and tell all of it but the secrets."""

from __future__ import annotations

from typing import Any, cast

from connections.authorizations.connection_state import ConnectionState
from connections.calls.exchange import Exchange, ServiceRequest
from connections.calls.signed_request import SignedRequest, Unauthorized
from connections.credentials.refreshing import NeedsAuthorization
from connections.credentials.unauthorized_response import call_and_retry
from connections.models import Credential
from connectors.api.auth_strategies import AUTH_TYPES
from connectors.definitions.registry import get_connectors
from connectors.errors import ServiceBusy, ServiceError
from console.choices import Environment, Level


def invoke(request: ServiceRequest, state: ConnectionState) -> Exchange:
    """Send a request as ``state`` says, whose authorization acts for the connection.

    A refused access token is renewed once, and the request sent once more. No transaction
    may be open: the service is asked in between. Raise ``ServiceBusy`` where it is not.
    """
    if exchange := refused(request, state):
        return exchange
    credential = _credential(state)
    line = SignedRequest(request, credential)
    problem = authorize_url = ""
    try:
        call_and_retry(credential, line.send)
    except NeedsAuthorization as error:
        problem, authorize_url = f"{error} {_mend(state)}", state.authorize_url
    except Unauthorized:
        pass  # meant for this request alone: what the service answered is shown
    except ServiceBusy:
        raise
    except ServiceError as error:
        problem = str(error)
        if not error.certain and request.method not in {"GET", "HEAD"}:
            service = credential.connector.name
            problem += f" It may have arrived: look at {service} before you run it again."
    return _exchange(
        request, state, **line.shown(), problem=line.mask(problem), authorize_url=authorize_url
    )


def refused(request: ServiceRequest, state: ConnectionState) -> Exchange | None:
    """Say why a call cannot be made here at all, or return ``None``.

    Where only permissions are missing the call is made: the service knows what it allows.
    """
    if not (problem := _problem(state)):
        return None
    gone = state.snapshot.connector not in get_connectors()
    authorize_url = "" if gone else state.authorize_url
    return _exchange(
        request, state, address=request.path, problem=problem, authorize_url=authorize_url
    )


def facts(state: ConnectionState) -> dict[str, str]:
    """Return what calls may say about the connection; never a secret."""
    credential = _credential(state)
    strategy = AUTH_TYPES[credential.auth_type]  # type: ignore[index]
    public = strategy.public(credential.connector, credential.secret.reveal())
    return {**public, **credential.values}


def _exchange(request: ServiceRequest, state: ConnectionState, **told: Any) -> Exchange:
    return Exchange(
        connection=state.snapshot.name,
        service=state.snapshot.definition.name,
        environment=state.environment,
        method=request.method,
        **told,
    )


def _problem(state: ConnectionState) -> str:
    snapshot, authorization = state.snapshot, state.authorization
    if snapshot.connector not in get_connectors():
        return (
            f"{snapshot.name} cannot be called: its service, {snapshot.connector}, is not in "
            "the catalogue of this console any more."
        )
    credential = authorization.credential if authorization else None
    if credential and (state.works or state.name == "permissions_missing"):
        if _is_meant_for(credential, state):
            return ""
        return (
            f"{snapshot.name} was authorized for other settings than those that it has in "
            f"{state.environment.label}. {_mend(state)}"
        )
    if authorization is None and snapshot.level == Level.LOGGED_IN_USER:
        words = f"You have not authorized {snapshot.name} in {state.environment.label} yet."
    else:
        words = f"{snapshot.name} is not authorized in {state.environment.label}."
    reason = authorization.reason if authorization else ""
    return " ".join(filter(None, (words, reason, _mend(state))))


def _credential(state: ConnectionState) -> Credential:
    """Return what every state but a refusal has."""
    return cast("Credential", state.authorization.credential)


def _is_meant_for(credential: Credential, state: ConnectionState) -> bool:
    """Tell whether the credential was given for this: sent elsewhere, it would be given away.

    Where a client's account lives, such as its data center, the client has said itself.
    """
    snapshot = state.snapshot
    given = credential.connector_slug, credential.auth_type
    if state.environment != Environment.PRODUCTION and credential.parameters != snapshot.parameters:
        return False
    return given == (snapshot.connector, snapshot.auth_type)


def _mend(state: ConnectionState) -> str:
    return f"Authorize {state.snapshot.name}, and run this again."
