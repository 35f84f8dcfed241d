"""Connections that are ready to call: who acts, with which secret, signed how.

What was read counts in this process for a second. Then one query looks whether it still
holds, and so what is revoked, changed or authorized anew counts everywhere within a second.
Secrets lie in the memory of the process alone, never in a cache.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from threading import Lock
from typing import Any, cast
from urllib.parse import urlsplit

from django.db.models import OuterRef, QuerySet, Subquery

from connections.exchange import Request
from connections.invoking import refused
from connections.models import (
    Authorization,
    Credential,
    InstalledConnection,
    ReleasedConnection,
)
from connections.proving import is_refused
from connections.refreshing import (
    WAIT_SECONDS,
    NeedsAuthorization,
    due_at,
    fresh,
    still_asked,
)
from connections.resolving import Caller, resolve
from connections.standing import Environment, Level
from connections.states import State
from connectors.addresses import Place, place_of
from connectors.auth import AUTH_TYPES, Signed
from connectors.calling import base_of
from connectors.definition import Connector
from connectors.errors import ServiceError
from connectors.templating import fill
from console.addresses import public_url
from console.database import give_back, in_turn

COUNTS_SECONDS = 1.0
MOST = 2_000
#: A token that ends later than this is used while another thread renews it.
LIVES_SECONDS = 30.0
#: How often the check may be asked whether a 401 was meant for the whole credential.
CHECK_SECONDS = 60.0


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
class Acting:
    """One connection, ready to call for one caller.

    ``known`` fills the slots of the connector's templates, ``base`` is where its API begins.
    """

    caller: Caller
    state: State
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
    check_at: float = 0.0

    @cached_property
    def place(self) -> Place:
        """Where its API lies, judged once; raise ``ServiceForbidden`` where nothing may go."""
        return place_of(self.base, service=self.connector.name)

    @property
    def authorize_url(self) -> str:
        return self.state.authorize_at(public_url)


_known: dict[tuple[Caller, str], Acting] = {}
_writing = Lock()
_reading = [Lock() for _ in range(64)]
#: Held while a service renews a token, and so never by who only reads.
_renewing = [Lock() for _ in range(64)]


def acting(caller: Caller, link_name: str) -> Acting:
    """Return a connection that is ready to call, its access token fresh.

    Raise ``NoSuchConnection``, ``LicenceEnded``, :class:`UserRequired`, :class:`NotAuthorized`,
    :class:`Unavailable` or ``ServiceError``. Nobody waits for a service with a connection of
    the database in hand: after rows were read, it is given back.
    """
    key = caller, link_name
    found = _known.get(key)
    if found is None or time.monotonic() >= found.until:
        found = _looked_up(key)
    if found.renew_at is not None and time.time() >= found.renew_at:
        found = _renewed_in_time(key, found)
    return found


def renew(found: Acting) -> Acting | None:
    """Renew the access token that a service has just refused; ``None`` where nothing can.

    Raise :class:`NotAuthorized` where the service does not renew it any more.
    """
    if found.credential.auth_type != "oauth2" or not found.secret.get("refresh_token"):
        return None
    try:
        _fresh(found, force=True)
    except NotAuthorized:
        raise
    except ServiceError:
        return None  # an outage of the token endpoint: what the service said stands
    finally:
        give_back()
    key = found.caller, found.state.standing.link_name
    newer = _looked_up(key, found)
    return newer if newer.secret != found.secret else None


def refuse_if_dead(found: Acting) -> None:
    """Ask after a 401 whether the credential as a whole is refused; if so raise.

    At most once a minute, by the connector's check. Some services answer 401 to a missing
    permission, too.
    """
    now = time.monotonic()
    if now < found.check_at:
        return
    found.check_at = now + CHECK_SECONDS
    try:
        dead = is_refused(_row(found), found.secret)
    except Credential.DoesNotExist:
        return
    finally:
        give_back()
    if dead:
        forget(found)
        name = found.state.standing.name
        raise NotAuthorized(
            f"{found.connector.name} refuses the authorization of {name}.",
            authorize_url=found.authorize_url,
            broken=True,
        )


def forget(found: Acting) -> None:
    """Read it anew with the next call."""
    _known.pop((found.caller, found.state.standing.link_name), None)


def clear() -> None:
    """Forget everything."""
    _known.clear()


def _looked_up(key: tuple[Caller, str], stale: Acting | None = None) -> Acting:
    """Look whether what is known still holds, or read it; of many threads one does."""
    arrived = time.monotonic()
    with _reading[hash(key) % len(_reading)]:
        found, now = _known.get(key), time.monotonic()
        if found is not None and found is not stale and now < found.until:
            return found
        try:
            with in_turn(arrived):
                if found is None or found is stale or found.stamp != _stamp(found.state):
                    found = _read(*key)
        except BaseException:
            _known.pop(key, None)
            raise
        finally:
            give_back()
        found.until = now + COUNTS_SECONDS
        with _writing:
            if key not in _known and len(_known) >= MOST:
                for old in list(islice(_known, MOST // 2)):
                    _known.pop(old, None)
            _known[key] = found
        return found


def _read(caller: Caller, link_name: str) -> Acting:
    # Taken before what it vouches for is read: what changes meanwhile is seen a second later.
    stamp = _stamp(resolve(caller, link_name))
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
    return Acting(
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
    due = due_at(credential) if secret.get("refresh_token") else None
    moments = [moment.timestamp() for moment in (due, credential.ends_at) if moment]
    return min(moments, default=None)


def _stamp(state: State) -> tuple[Any, ...]:
    """Return what differs as soon as anything does that a call depends on: one query."""
    if state.authorization is None:
        return ()
    if state.environment == Environment.PRODUCTION:
        # Its licence ends without anybody's doing: then it is not live, and the number is gone.
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


def _refuse(caller: Caller, state: State) -> None:
    if state.standing.level == Level.LOGGED_IN_USER and caller.user is None:
        raise UserRequired(
            f"Each person uses his own authorization of {state.standing.name}: the call must "
            "name him with the token in Console-User."
        )
    exchange = refused(Request(method="GET", path="/"), state)
    if exchange is None:
        return
    if not exchange.authorize_url:
        raise Unavailable(exchange.problem)
    raise _not_authorized(state, exchange.problem)


def _not_authorized(state: State, sentence: str = "") -> NotAuthorized:
    broken = state.authorization is not None and state.name in {
        Authorization.State.NEEDS_AUTHORIZATION,
        Authorization.State.UNKNOWN_OUTCOME,
    }
    return NotAuthorized(
        sentence or f"{state.standing.name} is not authorized in {state.environment.label}.",
        authorize_url=state.authorize_at(public_url),
        broken=broken,
    )


def _renewed_in_time(key: tuple[Caller, str], found: Acting) -> Acting:
    """Renew a token that ends soon; who finds another thread at it uses it while it lives."""
    expires_at = found.credential.expires_at
    lives = expires_at is not None and expires_at.timestamp() - time.time() > LIVES_SECONDS
    lock = _renewing[hash(key) % len(_renewing)]
    if not lock.acquire(timeout=0 if lives else WAIT_SECONDS):
        if lives:
            return found
        raise still_asked(found.connector.name)
    try:
        newer = _known.get(key)
        if newer is not None and newer is not found:
            return newer
        try:
            _fresh(found)
        finally:
            give_back()
        newer = _looked_up(key, found)
        if newer.secret == found.secret:
            # The token endpoint is out of order: not asked again by each call.
            newer.renew_at = time.time() + COUNTS_SECONDS
        return newer
    finally:
        lock.release()


def _fresh(found: Acting, *, force: bool = False) -> None:
    try:
        credential = _row(found)
        fresh(credential, force=force and credential.version == found.credential.version)
    except Credential.DoesNotExist:
        return  # replaced meanwhile: who reads it anew finds the new one
    except NeedsAuthorization as error:
        forget(found)
        raise NotAuthorized(str(error), authorize_url=found.authorize_url, broken=True) from None


def _row(found: Acting) -> Credential:
    return Credential.objects.select_related("client").get(pk=found.credential.pk)
