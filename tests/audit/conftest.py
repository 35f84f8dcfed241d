"""Logs that can be written, and one that cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.db import connection, connections, transaction

from console.accounts.models import Organization
from console.audit.actions import AuditAction
from console.audit.log import Subject, record
from console.audit.models import Event
from console.encryption.fields import EncryptedJSONField

#: What may change although an action failed: who is just publishing, and counts of guesses.
APART = {"sessions", "axes", "audit", "contenttypes", "usersessions"}
APART_MODELS = {"publishing.Stage"}
APART_FIELDS = {"last_login"}


@pytest.fixture(autouse=True)
def no_guesses_yet() -> None:
    """Forget how often tests before this one have signed in: that is limited by the minute."""
    cache.clear()


@pytest.fixture
def tell():
    """Record something that nobody did."""

    def write(organization: Organization | None, label: str = "Thing", **details: Any) -> Event:
        subject = Subject(type="application", id=f"id of {label}", label=label)
        with transaction.atomic():
            record(AuditAction.APPLICATION_CHANGED, organization, None, subject, **details)
        return Event.objects.filter(organization=organization).latest("number")

    return write


@pytest.fixture
def break_log(db):
    """Make the database refuse new events."""

    def do() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TRIGGER full BEFORE INSERT ON audit_event "
                "BEGIN SELECT RAISE(ABORT, 'The disk is full.'); END"
                if connection.vendor == "sqlite"
                else "ALTER TABLE audit_event ADD CONSTRAINT full_ CHECK (false) NOT VALID"
            )

    return do


@pytest.fixture
def rows():
    """Return all rows of the console, without what the log itself is and what may change."""

    def read() -> dict[str, list[Any]]:
        found = {}
        for model in apps.get_models():
            if model._meta.app_label in APART or model._meta.label in APART_MODELS:
                continue
            fields = [
                field.attname
                for field in model._meta.concrete_fields
                if not isinstance(field, EncryptedJSONField) and field.name not in APART_FIELDS
            ]
            found[model._meta.label] = list(model._base_manager.order_by("pk").values(*fields))
        return found

    return read


@pytest.fixture
def at_once() -> Callable[[list[Callable[[], Any]]], list[Any]]:
    """Do several things at the same time, each in a thread of its own."""

    def run(works: list[Callable[[], Any]]) -> list[Any]:
        def one(work: Callable[[], Any]) -> Any:
            try:
                return work()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(works)) as threads:
            return list(threads.map(one, works))

    return run


@pytest.fixture
def by_hand(db) -> Iterator[Callable[..., None]]:
    """Change rows as somebody does who may write to the database and fears no trigger."""
    on = "" if connection.vendor == "sqlite" else " ON audit_event"

    def execute(statement: str, *values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER IF EXISTS audit_event_refuses_updates{on}")
            cursor.execute(statement, values)

    yield execute
