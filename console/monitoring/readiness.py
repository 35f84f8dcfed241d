"""Whether this process can do its work: database, keys, catalogue."""

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

#: For how long what was found is told to everybody who asks.
KEPT_SECONDS = 3.0
#: A look that takes longer than this, beyond that time, has found nothing.
PATIENCE_SECONDS = 12.0

Faults = Mapping[str, str]


def faults() -> dict[str, str]:
    """Say by part what is wrong; empty when the console is ready."""
    found: dict[str, str] = {}
    for part, look in PARTS.items():
        try:
            look()
        except (DatabaseError, InterfaceError) as error:
            found[part] = type(error).__name__
        except (ImproperlyConfigured, SecretUnreadable, DefinitionFaults) as error:
            found[part] = str(error)
    return found


class Known:
    """What was found lately. Anybody may ask as often as they like: one thread looks.

    The others are told what was found before, so that a database that hangs keeps one of
    the server's threads waiting, and not all.
    """

    def __init__(self, look: Callable[[], Faults]) -> None:
        self._look = look
        self._looking = threading.Lock()
        #: When the last look began, by the monotonic clock, and what it found.
        self._last: tuple[float, Faults] | None = None

    def clear(self) -> None:
        """Forget it: the next who asks looks."""
        self._last = None

    def get(self) -> Faults:
        """Return what is wrong, as it was a few seconds ago at most."""
        last = self._last
        if last and time.monotonic() < last[0] + KEPT_SECONDS:
            return last[1]
        # Only at the start is there nothing to tell those who do not look themselves.
        if self._looking.acquire(timeout=0 if last else PATIENCE_SECONDS):
            try:
                if self._last is None or self._last is last:
                    began = time.monotonic()
                    self._last = began, self._look()
                return self._last[1]
            finally:
                self._looking.release()
        if last and time.monotonic() < last[0] + KEPT_SECONDS + PATIENCE_SECONDS:
            return last[1]
        return {"database": "It does not answer."}


def refuse_wrong_keys() -> None:
    """Stop a process whose keys do not open what is stored.

    An unreachable database is no reason not to start: ``/readyz`` tells of it.
    """
    try:
        _keys()
    except SecretUnreadable as error:
        raise ImproperlyConfigured(str(error)) from error
    except (DatabaseError, InterfaceError):
        pass


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _keys() -> None:
    refuse_wrong_key_ring(all_encrypted_rows())


PARTS: dict[str, Callable[[], object]] = {
    "database": _database,
    "keys": _keys,
    "catalogue": get_connectors,
}
known = Known(faults)
