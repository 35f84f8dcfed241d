"""Calls prepared for a connection: its authorization, opened secret, signature and base URL.

Kept in memory for a second each. Then one query checks whether anything has changed, so that
a connection that was revoked, changed or reauthorized takes effect in every process within a
second. Secrets are never stored in Django's cache.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.db.models import OuterRef, QuerySet, Subquery

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import AuthorizationBroken
from connections.calls.lookup import Caller, find_connection
from connections.calls.readiness import ensure_ready, not_authorized
from connections.credentials.refreshing import (
    WAIT_SECONDS,
    NeedsAuthorization,
    fresh_secret,
    refresh_due_at,
    refresh_in_progress,
)
from connections.credentials.unauthorized_response import handle_unauthorized
from connections.models import (
    Authorization,
    Credential,
    InstalledConnection,
    ReleasedConnection,
)
from connectors.api.auth_strategies import Signed, strategy_of
from connectors.api.request_urls import base_url
from connectors.definitions.schema import Connector
from connectors.definitions.templates import fill
from connectors.http.ssrf import Destination, parse_destination
from console.choices import Environment
from console.database import release_connection
from console.encryption.redaction import Redactor, redactor_for
from console.short_cache import ShortCache

VALID_SECONDS = 1.0
#: A token that lives longer than this is used while another thread renews it.
USABLE_SECONDS = 30.0


@dataclass(kw_only=True)
class PreparedCall:
    """Everything that a call through a connection needs, for one caller.

    ``values`` fill the placeholders of the connector's templates. The API begins at ``base``.
    ``version`` changes with anything that the call depends on.
    """

    caller: Caller
    state: ConnectionState
    connector: Connector
    credential: Credential
    secret: Mapping[str, str] = field(repr=False)
    values: Mapping[str, str] = field(repr=False)
    signed: Signed = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    base: str
    host: str
    base_path: str
    version: tuple[Any, ...] = ()
    renew_at: float | None = None

    @cached_property
    def destination(self) -> Destination:
        """Host and port of the API, checked once; raise ``ServiceForbidden`` if not allowed."""
        return parse_destination(self.base, service=self.connector.name)

    @cached_property
    def redactor(self) -> Redactor:
        """Finds the secret, in every encoding, in what comes back."""
        strategy = strategy_of(self.credential.auth_type)
        return redactor_for(self.secret, strategy.public(self.connector, self.secret), self.signed)

    @property
    def key(self) -> tuple[Caller, str]:
        return self.caller, self.state.snapshot.link_name


_prepared: ShortCache[tuple[Caller, str], PreparedCall] = ShortCache(
    seconds=VALID_SECONDS, max_size=2_000
)
#: Held while a service renews a token, so never by threads that only read.
_renewing = [Lock() for _ in range(64)]


def prepare_call(caller: Caller, link_name: str) -> PreparedCall:
    """Return a call through a connection, prepared with a fresh access token.

    Raise ``CallRefused`` or ``ServiceError``. No thread holds a database connection while it
    waits for a service.
    """
    prepared = _read_cached((caller, link_name))
    if prepared.renew_at is not None and time.time() >= prepared.renew_at:
        prepared = _renew_expiring(prepared)
    return prepared


def prepare_again(prepared: PreparedCall, *, just_obtained: bool = False) -> PreparedCall | None:
    """Return the call with a new secret, after the API has refused the present one.

    ``None`` means that the refusal concerns this call only. ``just_obtained`` says that the
    refused secret was itself the result of such a renewal. Raise
    :class:`~connections.calls.errors.AuthorizationBroken` where the grant has ended, and
    :class:`~connections.credentials.refreshing.NotRenewed` where no token is available now.
    """
    try:
        secret = handle_unauthorized(
            _credential(prepared), prepared.secret, just_obtained=just_obtained
        )
    except Credential.DoesNotExist:
        pass  # it was replaced in the meantime: reading again finds the new one
    except NeedsAuthorization as error:
        raise _authorization_ended(prepared, error) from None
    else:
        if secret is None:
            return None
    finally:
        release_connection()
    again = _read_cached(prepared.key, stale=prepared)
    return again if again.secret != prepared.secret else None


def _read_cached(key: tuple[Caller, str], *, stale: PreparedCall | None = None) -> PreparedCall:
    return _prepared.get(
        key,
        lambda: _read(*key),
        is_current=lambda prepared: prepared.version == _version_of(prepared.state),
        stale=stale,
    )


def _read(caller: Caller, link_name: str) -> PreparedCall:
    # The version is older than what it stands for: a change in between is noticed a second later.
    version = _version_of(find_connection(caller, link_name))
    state = find_connection(caller, link_name)
    ready = ensure_ready(state, has_user=caller.user is not None)
    try:
        # The credential in the state was read without its secret.
        credential = Credential.objects.select_related("client").get(pk=ready.pk)
    except Credential.DoesNotExist:
        raise not_authorized(state) from None
    connector = credential.connector
    strategy = strategy_of(credential.auth_type)
    secret = credential.open_secret()
    values = {**strategy.public(connector, secret), **credential.values}
    base = base_url(connector, values)
    parts = urlsplit(base)
    return PreparedCall(
        caller=caller,
        state=state,
        connector=connector,
        credential=credential,
        secret=secret,
        values=values,
        signed=strategy.sign(connector, secret),
        headers={name: fill(value, values) for name, value in connector.api_headers.items()},
        base=base,
        host=parts.netloc,
        base_path=parts.path,
        version=version,
        renew_at=_renew_at(credential, secret),
    )


def _version_of(state: ConnectionState) -> tuple[Any, ...]:
    """Return a value that changes with anything a call depends on, by one query."""
    if state.authorization is None:
        return ()
    if state.environment == Environment.PRODUCTION:
        # A license ends without any change to a row: then the connection is no longer live.
        sources: QuerySet[Any] = InstalledConnection.objects.live().filter(
            connection=OuterRef("connection"), organization=OuterRef("organization")
        )
    else:
        sources = ReleasedConnection.objects.filter(
            connection=OuterRef("connection"), environment=state.environment
        )
    rows = Authorization.objects.filter(pk=state.authorization.pk).values_list(
        "state",
        "changed_at",
        "credential",
        "credential__version",
        "credential__client__client_id",
        "connection__updated_at",
        Subquery(sources.values("number")[:1]),
    )
    return rows.first() or ()


def _renew_at(credential: Credential, secret: Mapping[str, str]) -> float | None:
    """Return when the secret has to be renewed or has ended, in seconds since 1970."""
    due = refresh_due_at(credential) if secret.get("refresh_token") else None
    end = None if credential.is_extended else credential.ends_at
    return min((moment.timestamp() for moment in (due, end) if moment), default=None)


def _renew_expiring(prepared: PreparedCall) -> PreparedCall:
    """Renew a token that ends soon; other threads use the old one while it lives."""
    key, expires_at = prepared.key, prepared.credential.expires_at
    is_usable = expires_at is not None and expires_at.timestamp() - time.time() > USABLE_SECONDS
    lock = _renewing[hash(key) % len(_renewing)]
    if not lock.acquire(timeout=0 if is_usable else WAIT_SECONDS):
        if is_usable:
            return prepared
        raise refresh_in_progress(prepared.connector.name)
    try:
        newer = _prepared.peek(key)
        if newer is not None and newer is not prepared:
            return newer
        _refresh(prepared)
        newer = _read_cached(key, stale=prepared)
        if newer.secret == prepared.secret:
            # The token endpoint is out of order: do not ask it again for every call.
            newer.renew_at = time.time() + VALID_SECONDS
        return newer
    finally:
        lock.release()


def _refresh(prepared: PreparedCall) -> None:
    try:
        fresh_secret(_credential(prepared))
    except Credential.DoesNotExist:
        pass  # it was replaced in the meantime: reading again finds the new one
    except NeedsAuthorization as error:
        raise _authorization_ended(prepared, error) from None
    finally:
        release_connection()


def _credential(prepared: PreparedCall) -> Credential:
    return Credential.objects.select_related("client").get(pk=prepared.credential.pk)


def _authorization_ended(prepared: PreparedCall, error: NeedsAuthorization) -> AuthorizationBroken:
    _prepared.remove(prepared.key)
    return AuthorizationBroken(str(error), prepared.state)
