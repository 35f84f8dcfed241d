"""Who acts for a caller: which authorization, with which secret, signed how."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast
from urllib.parse import urlsplit

from django.db.models import OuterRef, QuerySet, Subquery

from connections.authorizations.connection_state import ConnectionState
from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import refused
from connections.calls.lookup import Caller, resolve
from connections.credentials.refreshing import refresh_due_at
from connections.models import (
    Authorization,
    Credential,
    InstalledConnection,
    ReleasedConnection,
)
from connectors.api.auth_strategies import AUTH_TYPES, Signed
from connectors.api.request_urls import base_of
from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill
from connectors.http.ssrf import Destination, parse_destination
from console.choices import Environment, Level
from console.encryption.redaction import Redactor, redactor_for
from console.public_url import public_url


class NotAuthorized(Exception):
    """No call can be made until a person authorizes; ``authorize_url`` is where he can.

    ``broken`` tells that there was an authorization, which does not work any more.
    """

    def __init__(self, sentence: str, *, authorize_url: str, broken: bool) -> None:
        super().__init__(sentence)
        self.authorize_url, self.broken = authorize_url, broken


class UserRequired(Exception):
    """Each person acts for himself here, and the call names nobody."""


class Unavailable(Exception):
    """Its service is not in the catalogue any more."""


@dataclass(kw_only=True)
class PreparedCall:
    """One connection, ready to call for one caller.

    ``known`` fills the slots of the connector's templates, ``base`` is where its API begins.
    """

    caller: Caller
    state: ConnectionState
    connector: Connector
    credential: Credential
    secret: Mapping[str, str] = field(repr=False)
    known: Mapping[str, str] = field(repr=False)
    signed: Signed = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    base: str
    host: str
    stamp: tuple[Any, ...] = ()
    until: float = 0.0
    renew_at: float | None = None

    @cached_property
    def place(self) -> Destination:
        """Where its API lies, judged once; raise ``ServiceForbidden`` where nothing may go."""
        return parse_destination(self.base, service=self.connector.name)

    @cached_property
    def mask(self) -> Redactor:
        """What knows the secret in every spelling, to look for it in what comes back."""
        strategy = AUTH_TYPES[self.credential.auth_type]  # type: ignore[index]
        return redactor_for(self.secret, strategy.public(self.connector, self.secret), self.signed)

    @property
    def authorize_url(self) -> str:
        return self.state.build_authorize_url(public_url)


def read_acting(caller: Caller, link_name: str) -> PreparedCall:
    """Read what a call needs, and open its secret.

    Raise ``NoSuchConnection``, ``LicenseEnded``, :class:`UserRequired`, :class:`NotAuthorized`,
    :class:`Unavailable` or ``ServiceError``.
    """
    # Taken before what it vouches for is read: what changes meanwhile is seen a second later.
    stamp = stamp_of(resolve(caller, link_name))
    state = resolve(caller, link_name)
    _refuse(caller, state)
    credential_id = cast("uuid.UUID", state.authorization.credential_id)
    try:
        credential = Credential.objects.select_related("client").get(pk=credential_id)
    except Credential.DoesNotExist:
        raise _not_authorized(state) from None
    connector = credential.connector
    strategy = AUTH_TYPES[credential.auth_type]  # type: ignore[index]
    secret = credential.secret.reveal()
    known = {**strategy.public(connector, secret), **credential.values}
    base = base_of(connector, known)
    return PreparedCall(
        caller=caller,
        state=state,
        connector=connector,
        credential=credential,
        secret=secret,
        known=known,
        signed=strategy.sign(connector, secret),
        headers={name: fill(value, known) for name, value in connector.api_headers.items()},
        base=base,
        host=urlsplit(base).netloc,
        stamp=stamp,
        renew_at=_renew_at(credential, secret),
    )


def _renew_at(credential: Credential, secret: Mapping[str, str]) -> float | None:
    """Return from when on somebody has to look after the secret, in seconds since 1970."""
    due = refresh_due_at(credential) if secret.get("refresh_token") else None
    end = None if credential.is_extended else credential.ends_at
    moments = [moment.timestamp() for moment in (due, end) if moment]
    return min(moments, default=None)


def stamp_of(state: ConnectionState) -> tuple[Any, ...]:
    """Return what differs as soon as anything does that a call depends on: one query."""
    if state.authorization is None:
        return ()
    if state.environment == Environment.PRODUCTION:
        # Its license ends without anybody's doing: then it is not live, and the number is gone.
        stands: QuerySet[Any] = InstalledConnection.objects.live().filter(
            connection=OuterRef("connection"), organization=OuterRef("organization")
        )
    else:
        stands = ReleasedConnection.objects.filter(
            connection=OuterRef("connection"), environment=state.environment
        )
    rows = Authorization.objects.filter(pk=state.authorization.pk).values_list(
        "state",
        "changed_at",
        "credential",
        "credential__version",
        "credential__client__client_id",
        "connection__updated_at",
        Subquery(stands.values("number")[:1]),
    )
    return rows.first() or ()


def _refuse(caller: Caller, state: ConnectionState) -> None:
    if state.snapshot.level == Level.LOGGED_IN_USER and caller.user is None:
        raise UserRequired(
            f"Each person uses his own authorization of {state.snapshot.name}: the call must "
            "name him with the token in Console-User."
        )
    exchange = refused(ServiceRequest(method="GET", path="/"), state)
    if exchange is None:
        return
    if not exchange.authorize_url:
        raise Unavailable(exchange.problem)
    raise _not_authorized(state, exchange.problem)


def _not_authorized(state: ConnectionState, sentence: str = "") -> NotAuthorized:
    broken = state.authorization is not None and state.name in {
        Authorization.State.NEEDS_AUTHORIZATION,
        Authorization.State.UNKNOWN_OUTCOME,
    }
    return NotAuthorized(
        sentence or f"{state.snapshot.name} is not authorized in {state.environment.label}.",
        authorize_url=state.build_authorize_url(public_url),
        broken=broken,
    )
