"""Connections that are ready to call, kept for a moment and renewed in time.

What was read counts in this process for a second. Then one query looks whether it still
holds, and so what is revoked, changed or authorized anew counts everywhere within a second.
Secrets lie in the memory of the process alone, never in a cache.
"""

from __future__ import annotations

import time
from itertools import islice
from threading import Lock

from connections.calls.lookup import Caller
from connections.calls.prepared_call import NotAuthorized, PreparedCall, read_acting, stamp_of
from connections.credentials.refreshing import (
    WAIT_SECONDS,
    NeedsAuthorization,
    fresh_secret,
    refresh_in_progress,
)
from connections.credentials.unauthorized_response import handle_unauthorized
from connections.models import Credential
from console.database import give_back, in_turn

COUNTS_SECONDS = 1.0
MOST = 2_000
#: A token that ends later than this is used while another thread renews it.
LIVES_SECONDS = 30.0


_known: dict[tuple[Caller, str], PreparedCall] = {}
_writing = Lock()
_reading = [Lock() for _ in range(64)]
#: Held while a service renews a token, and so never by who only reads.
_renewing = [Lock() for _ in range(64)]


def acting(caller: Caller, link_name: str) -> PreparedCall:
    """Return a connection that is ready to call, its access token fresh.

    Raise what :func:`read_acting` raises. Nobody waits for a service with a connection of
    the database in hand: after rows were read, it is given back.
    """
    key = caller, link_name
    found = _known.get(key)
    if found is None or time.monotonic() >= found.until:
        found = _looked_up(key)
    if found.renew_at is not None and time.time() >= found.renew_at:
        found = _renewed_in_time(key, found)
    return found


def renew(found: PreparedCall, *, just_obtained: bool = False) -> PreparedCall | None:
    """Return the connection with another secret, after the API has refused this one's.

    ``None`` where the refusal was meant for the call alone. ``just_obtained`` says that the
    refused secret came of such a renewal. Raise :class:`NotAuthorized` where the grant has
    ended, and :class:`~connections.credentials.refreshing.NotRenewed` where no token is to be
    had now.
    """
    try:
        newer = handle_unauthorized(_row(found), found.secret, just_obtained=just_obtained)
    except Credential.DoesNotExist:
        pass  # replaced meanwhile: who reads it anew finds the new one
    except NeedsAuthorization as error:
        raise _ended(found, error) from None
    else:
        if newer is None:
            return None
    finally:
        give_back()
    again = _looked_up((found.caller, found.state.snapshot.link_name), found)
    return again if again.secret != found.secret else None


def forget(found: PreparedCall) -> None:
    """Read it anew with the next call."""
    _known.pop((found.caller, found.state.snapshot.link_name), None)


def clear() -> None:
    """Forget everything."""
    _known.clear()


def _looked_up(key: tuple[Caller, str], stale: PreparedCall | None = None) -> PreparedCall:
    """Look whether what is known still holds, or read it; of many threads one does."""
    arrived = time.monotonic()
    with _reading[hash(key) % len(_reading)]:
        found, now = _known.get(key), time.monotonic()
        if found is not None and found is not stale and now < found.until:
            return found
        try:
            with in_turn(arrived):
                if found is None or found is stale or found.stamp != stamp_of(found.state):
                    found = read_acting(*key)
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


def _renewed_in_time(key: tuple[Caller, str], found: PreparedCall) -> PreparedCall:
    """Renew a token that ends soon; who finds another thread at it uses it while it lives."""
    expires_at = found.credential.expires_at
    lives = expires_at is not None and expires_at.timestamp() - time.time() > LIVES_SECONDS
    lock = _renewing[hash(key) % len(_renewing)]
    if not lock.acquire(timeout=0 if lives else WAIT_SECONDS):
        if lives:
            return found
        raise refresh_in_progress(found.connector.name)
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


def _fresh(found: PreparedCall) -> None:
    try:
        fresh_secret(_row(found))
    except Credential.DoesNotExist:
        return  # replaced meanwhile: who reads it anew finds the new one
    except NeedsAuthorization as error:
        raise _ended(found, error) from None


def _ended(found: PreparedCall, error: NeedsAuthorization) -> NotAuthorized:
    forget(found)
    return NotAuthorized(str(error), authorize_url=found.authorize_url, broken=True)


def _row(found: PreparedCall) -> Credential:
    return Credential.objects.select_related("client").get(pk=found.credential.pk)
