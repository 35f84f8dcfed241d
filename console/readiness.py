"""Whether this process can do its work: database, keys, catalogue."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from connections.sealing import SecretUnreadable, key_ring, sealed_fields
from connectors.reading import DefinitionFaults
from connectors.registry import get_connectors
from console.signing_in.factors import open_one_of_each


def faults() -> dict[str, str]:
    """Say by part what is wrong; empty when the console is ready."""
    found: dict[str, str] = {}
    for part, look in PARTS.items():
        try:
            look()
        except (DatabaseError, ImproperlyConfigured, SecretUnreadable, DefinitionFaults) as error:
            found[part] = type(error).__name__ if part == "database" else str(error)
    return found


def refuse_wrong_keys() -> None:
    """Stop a process whose keys do not open what is stored.

    An unreachable database is no reason not to start: ``/readyz`` tells of it.
    """
    try:
        _keys()
    except SecretUnreadable as error:
        raise ImproperlyConfigured(str(error)) from error
    except DatabaseError:
        pass


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _keys() -> None:
    """Read the key ring and open one stored secret of each kind."""
    key_ring()
    for model, field in sealed_fields():
        row = model._default_manager.exclude(**{field.name: None}).first()
        if row is not None:
            getattr(row, field.attname).reveal()
    open_one_of_each()


PARTS: dict[str, Callable[[], object]] = {
    "database": _database,
    "keys": _keys,
    "catalogue": get_connectors,
}
