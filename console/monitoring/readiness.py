"""Readiness of this process: database, encryption keys and catalogue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection

from connectors.definitions.loader import DefinitionFaults
from connectors.definitions.registry import get_connectors
from console.encryption.encrypted_rows import all_encrypted_rows
from console.encryption.fernet_keys import SecretUnreadable
from console.encryption.key_sentinel import refuse_wrong_key_ring

#: How long the result of a check is cached.
KEPT_SECONDS = 3.0
#: How much longer an old result is returned while a new check runs; then the check has failed.
PATIENCE_SECONDS = 12.0

Faults = Mapping[str, str]


def faults() -> dict[str, str]:
    """Return the fault of each part that is not ready; empty if the console is ready."""
    found: dict[str, str] = {}
    for part, check in PARTS.items():
        try:
            check()
        except (DatabaseError, InterfaceError) as error:
            found[part] = type(error).__name__
        except (ImproperlyConfigured, SecretUnreadable, DefinitionFaults) as error:
            found[part] = str(error)
    return found


class CachedFaults:
    """Cache of the last check, in which only one thread checks at a time.

    Other threads get the previous result, so a database that hangs blocks one thread of the
    server and not all of them.
    """

    def __init__(self, check: Callable[[], Faults]) -> None:
        self._check = check
        self._check_lock = threading.Lock()
        #: When the last check started, by the monotonic clock, and its result.
        self._last: tuple[float, Faults] | None = None

    def clear(self) -> None:
        """Discard the cached result."""
        self._last = None

    def get(self) -> Faults:
        """Return the faults, at most a few seconds old."""
        last = self._last
        if last and time.monotonic() < last[0] + KEPT_SECONDS:
            return last[1]
        # Only before the first check is there no previous result; then all threads wait for it.
        if self._check_lock.acquire(timeout=0 if last else PATIENCE_SECONDS):
            try:
                if self._last is None or self._last is last:
                    started = time.monotonic()
                    self._last = started, self._check()
                return self._last[1]
            finally:
                self._check_lock.release()
        if last and time.monotonic() < last[0] + KEPT_SECONDS + PATIENCE_SECONDS:
            return last[1]
        return {"database": "The check timed out."}


def refuse_wrong_keys() -> None:
    """Raise ``ImproperlyConfigured`` if the keys cannot decrypt the stored secrets.

    A process may start while the database is unreachable; ``/readyz`` reports that.
    """
    try:
        _check_keys()
    except SecretUnreadable as error:
        raise ImproperlyConfigured(str(error)) from error
    except (DatabaseError, InterfaceError):
        pass


def _check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _check_keys() -> None:
    refuse_wrong_key_ring(all_encrypted_rows())


PARTS: dict[str, Callable[[], object]] = {
    "database": _check_database,
    "keys": _check_keys,
    "catalogue": get_connectors,
}
cached_faults = CachedFaults(faults)
