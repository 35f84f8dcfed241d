"""Whether this process can do its work: database, keys, catalogue."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from connections.sealing import SecretUnreadable, sealed_fields
from connectors.registry import get_connectors


def faults() -> dict[str, str]:
    """Say by part what is wrong; empty when the console is ready."""
    found: dict[str, str] = {}
    for part, look in PARTS.items():
        try:
            look()
        except (DatabaseError, ImproperlyConfigured, SecretUnreadable, ValueError) as error:
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
    """Open one stored secret of each kind, the newest written."""
    for model, field in sealed_fields():
        row = model._default_manager.exclude(**{field.name: None}).order_by("-pk").first()
        if row is not None:
            getattr(row, field.attname).reveal()


PARTS: dict[str, Callable[[], object]] = {
    "database": _database,
    "keys": _keys,
    "catalogue": get_connectors,
}
