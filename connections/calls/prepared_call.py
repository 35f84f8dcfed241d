"""Calls prepared for a connection: its authorization, opened secret, signature and base URL.

Kept in memory for a second each. Then one query checks whether anything has changed, so that
a connection that was revoked, changed or reauthorized takes effect in every process within a
second. Secrets are never stored in Django's cache.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from django.db.models import OuterRef, QuerySet, Subquery

from connections.authorizations.connection_state import ConnectionState
from connections.calls.errors import AuthorizationBroken
from connections.calls.lookup import Caller, find_connection
from connections.calls.readiness import ended_because, ensure_ready, not_authorized
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
from console.database import fail_fast_if_down_since, release_connection
from console.encryption.redaction import Redactor, redactor_for
from console.short_cache import ShortCache

Key = tuple[Caller, str]
Version = tuple[Any, ...]
VALID_SECONDS = 1.0
#: A token that lives longer than this is used while another thread renews it.
USABLE_SECONDS = 30.0


@dataclass(kw_only=True, eq=False)
class PreparedCall:
    """Everything that a call through a connection needs, for one caller; each is equal to itself.

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
    version: Version = ()
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
    def key(self) -> Key:
        return self.caller, self.state.snapshot.link_name


_prepared: ShortCache[Key, PreparedCall] = ShortCache(seconds=VALID_SECONDS, max_size=2_000)
#: Held while a service renews a token, so never by threads that only read.
_renewing = [Lock() for _ in range(64)]


def prepare_call(caller: Caller, link_name: str) -> PreparedCall:
    """Return a call through a connection, prepared with a fresh access token.

    Raise ``CallRefused`` or ``ServiceError``. No thread holds a database connection while it
    waits for a service.
    """
    prepared = read_call((caller, link_name))
    if prepared.renew_at is not None and time.time() >= prepared.renew_at:
        prepared = renew_expiring(prepared)
    return prepared


def cached_call(key: Key) -> tuple[PreparedCall | None, float]:
    """Return the call that was prepared last, if any, and for how many seconds it is valid."""
    return _prepared.aged(key)


def seconds_cached(prepared: PreparedCall) -> float:
    """Return for how many more seconds a prepared call is used without a look at the database."""
    return _prepared.seconds_left(prepared.key)


def prepare_again(prepared: PreparedCall, just_obtained: bool = False) -> PreparedCall | None:
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
    again = read_call(prepared.key, stale=prepared)
    return again if again.secret != prepared.secret else None


def read_call(key: Key, stale: PreparedCall | None = None) -> PreparedCall:
    """Return a cached call, or read it; ``stale`` is one that is known to be outdated."""
    return _prepared.get(
        key,
        lambda: _read(*key),
        is_current=lambda prepared: bool(_current([prepared])),
        stale=stale,
    )


def keep_current(calls: Sequence[PreparedCall]) -> None:
    """Keep those of the calls for another second that nothing has changed, by one query.

    The others end now.
    """
    began = time.monotonic()
    try:
        with fail_fast_if_down_since(began):
            current = set(_current(calls))
    finally:
        release_connection()
    for prepared in calls:
        if prepared in current:
            _prepared.extend(prepared.key, prepared, since=began)
        else:
            _prepared.end(prepared.key, prepared)


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


def _current(calls: Sequence[PreparedCall]) -> list[PreparedCall]:
    """Return those of the calls that nothing has changed, by one query for each environment."""
    versions: dict[tuple[Environment, Any], Version] = {}
    for environment in {prepared.caller.environment for prepared in calls}:
        authorizations = [
            prepared.state.authorization.pk
            for prepared in calls
            if prepared.caller.environment == environment and prepared.state.authorization
        ]
        for pk, version in _versions(environment, authorizations).items():
            versions[environment, pk] = version
    return [
        prepared
        for prepared in calls
        if prepared.state.authorization
        and prepared.version
        == versions.get((prepared.caller.environment, prepared.state.authorization.pk))
    ]


def _version_of(state: ConnectionState) -> Version:
    """Return a value that changes with anything a call depends on, by one query."""
    if state.authorization is None:
        return ()
    pk = state.authorization.pk
    return _versions(state.environment, [pk]).get(pk, ())


def _versions(environment: Environment, authorizations: Collection[Any]) -> dict[Any, Version]:
    """Return the versions of authorizations, as calls in an environment see them."""
    if environment == Environment.PRODUCTION:
        # A license ends without any change to a row: then the connection is no longer live.
        sources: QuerySet[Any] = InstalledConnection.objects.live().filter(
            connection=OuterRef("connection"), organization=OuterRef("organization")
        )
    else:
        sources = ReleasedConnection.objects.filter(
            connection=OuterRef("connection"), environment=environment
        )
    rows = Authorization.objects.filter(pk__in=authorizations).values_list(
        "pk",
        "state",
        "changed_at",
        "credential",
        "credential__version",
        "credential__client__client_id",
        "connection__updated_at",
        Subquery(sources.values("number")[:1]),
    )
    return {pk: tuple(version) for pk, *version in rows}


def _renew_at(credential: Credential, secret: Mapping[str, str]) -> float | None:
    """Return when the secret has to be renewed or has ended, in seconds since 1970."""
    due = refresh_due_at(credential) if secret.get("refresh_token") else None
    end = None if credential.is_extended else credential.ends_at
    return min((moment.timestamp() for moment in (due, end) if moment), default=None)


def is_usable(prepared: PreparedCall) -> bool:
    """Tell whether a token lives long enough to be used while another thread renews it."""
    expires_at = prepared.credential.expires_at
    return expires_at is not None and expires_at.timestamp() - time.time() > USABLE_SECONDS


def renew_expiring(prepared: PreparedCall) -> PreparedCall:
    """Renew a token that ends soon; other threads use the old one while it is usable."""
    key, usable = prepared.key, is_usable(prepared)
    lock = _renewing[hash(key) % len(_renewing)]
    if not lock.acquire(timeout=0 if usable else WAIT_SECONDS):
        if usable:
            return prepared
        raise refresh_in_progress(prepared.connector.name)
    try:
        newer = _prepared.peek(key)
        if newer is not None and newer is not prepared:
            return newer
        _refresh(prepared)
        newer = read_call(key, stale=prepared)
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
    return AuthorizationBroken(str(error), prepared.state, ended_because(prepared.state))
