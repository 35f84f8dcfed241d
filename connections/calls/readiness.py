"""Decide whether a connection can act, and say why if it cannot.

The one answer for pages, runs of functions, the proxy and the runtime API.
"""

from __future__ import annotations

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import (
    AuthorizationBroken,
    AuthorizationRequired,
    ConnectionDisabled,
    ServiceRemoved,
    UserTokenRequired,
)
from connections.models import Authorization, Credential
from connections.models.reason_code import ReasonCode
from connectors.definitions.registry import get_connectors
from console.choices import Environment, Level

#: States of an authorization that worked once.
_BROKEN = {Authorization.State.NEEDS_AUTHORIZATION, Authorization.State.UNKNOWN_OUTCOME}


def ensure_ready(state: ConnectionState, *, has_user: bool = True) -> Credential:
    """Return the credential that a connection acts with, or raise ``CallRefused``.

    ``has_user`` tells whether the call names a person. Where only permissions are missing the
    connection is ready: the service knows what it allows.
    """
    snapshot, authorization = state.snapshot, state.authorization
    if state.disablement:
        raise ConnectionDisabled(state.disablement.message(snapshot.name))
    if lacks_user(state, has_user=has_user):
        raise UserTokenRequired(snapshot.name)
    if snapshot.connector not in get_connectors():
        raise ServiceRemoved(
            f"{snapshot.name} cannot be called: its service, {snapshot.connector}, is no longer "
            "in the catalog of this console."
        )
    credential = authorization.credential if authorization else None
    if credential is None or not (state.works or state.name == "permissions_missing"):
        raise not_authorized(state, authorization.reason if authorization else "")
    if not _is_for_current_settings(credential, state):
        raise AuthorizationRequired(
            f"{snapshot.name} was authorized for other settings than it has in "
            f"{state.environment.label}. {how_to_fix(state)}",
            state,
            ReasonCode.SETTINGS_CHANGED,
        )
    return credential


def ended_because(state: ConnectionState) -> str:
    """Return the reason code that was stored when the authorization ended during a call."""
    authorization = state.authorization
    rows = Authorization.objects.filter(pk__in=[authorization.pk] if authorization else [])
    return rows.values_list("reason_code", flat=True).first() or ReasonCode.UNKNOWN


def lacks_user(state: ConnectionState, *, has_user: bool) -> bool:
    """Tell whether each person authorizes the connection, and the call does not name one."""
    return state.snapshot.level == Level.LOGGED_IN_USER and not has_user


def not_authorized(state: ConnectionState, reason: str = "") -> AuthorizationRequired:
    """Return the error for a connection that a person has to authorize first."""
    name, environment = state.snapshot.name, state.environment.label
    if state.authorization is None and state.snapshot.level == Level.LOGGED_IN_USER:
        message = f"You have not authorized {name} in {environment} yet."
    else:
        message = f"{name} is not authorized in {environment}."
    kind = AuthorizationBroken if _is_broken(state) else AuthorizationRequired
    return kind(" ".join(filter(None, (message, reason, how_to_fix(state)))), state)


def how_to_fix(state: ConnectionState) -> str:
    """Say what makes a call work that an authorization is missing for."""
    return f"Authorize {state.snapshot.name}, then try again."


def _is_broken(state: ConnectionState) -> bool:
    return state.authorization is not None and state.name in _BROKEN


def _is_for_current_settings(credential: Credential, state: ConnectionState) -> bool:
    """Tell whether the credential belongs to these settings: sent elsewhere, it would leak.

    In Production the client has chosen where its account is, such as its data center.
    """
    snapshot = state.snapshot
    if state.environment != Environment.PRODUCTION and credential.parameters != snapshot.parameters:
        return False
    issued_for = credential.connector_slug, credential.auth_type
    return issued_for == (snapshot.connector, snapshot.auth_type)
