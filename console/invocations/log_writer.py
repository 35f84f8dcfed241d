"""Note calls while they are made, and write them a little later, many at once.

A call never waits for the log. What is noted waits in memory, at most ``MOST`` rows, for a
thread that writes twice a second and once more when the process ends. Where the database is
away for longer than that holds, the newest rows are dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import datetime
from functools import cache
from multiprocessing import util as multiprocessing
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone
from prometheus_client import Counter, Histogram

from connections.authorizations.connection_state import ConnectionState
from connections.calls.exchange import Exchange, ServiceRequest
from console.accounts.models import Organization, User
from console.applications.models import Application
from console.database import release_connection
from console.invocations.hourly_counts import count
from console.invocations.models import Invocation
from console.invocations.outcomes import outcome_of
from console.monitoring.metrics import DROPPED, INVOCATIONS, SECONDS, WAITING, forget_process

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
BATCH = 500
MOST = 50_000
PATH = 500


class LogWriter:
    """The rows that wait, and the thread that writes them."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.dropped = 0
        self._rows: deque[dict[str, Any]] = deque()
        self._many = threading.Event()
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Count the rows that are not written yet."""
        return len(self._rows)

    def note(self, **fields: Any) -> None:
        """Take a row; it is written soon."""
        if len(self._rows) >= self.most:
            self.dropped += 1
            DROPPED.inc()
            return
        self._rows.append(fields)
        if len(self._rows) == BATCH:
            self._many.set()

    def start(self) -> None:
        """Start the thread, unless it runs."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="invocations", daemon=True)
            self._thread.start()

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def write(self) -> bool:
        """Write what waits; tell whether the database took it."""
        with self._writing:
            try:
                while self._rows:
                    batch = [self._rows[n] for n in range(min(BATCH, len(self._rows)))]
                    with transaction.atomic():
                        _insert(batch)
                        count(batch)
                    for _ in batch:
                        self._rows.popleft()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("%d invocations wait: %s", len(self._rows), type(error).__name__)
                connection.close()
                return False
            return True

    def _run(self) -> None:
        told = 0
        while True:
            self._many.wait(EVERY_SECONDS)
            self._many.clear()
            if self._rows:
                written = self.write()
                release_connection()
                if not written:
                    time.sleep(1)  # however many wait
            WAITING.set(self.waiting)
            if self.dropped > told:
                told = self.dropped
                logger.error("%d invocations were dropped since the start.", told)


def _insert(rows: list[dict[str, Any]]) -> None:
    """Write rows without making models of them: that took longer than all the rest."""
    fields = [field for field in Invocation._meta.concrete_fields if not field.primary_key]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    into = f"{quoted(Invocation._meta.db_table)} ({columns})"
    defaults = {field.attname: field.get_default() for field in fields}
    adapters = _adapters()
    values = [
        [
            adapters[type(value)](value) if type(value) in adapters else value
            for value in {**defaults, **row}.values()
        ]
        for row in rows
    ]
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":  # to which executemany sends each row by itself
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for each in values:
                    copy.write_row(each)
        else:
            slots = ", ".join(["%s"] * len(fields))
            cursor.executemany(f"INSERT INTO {into} VALUES ({slots})", values)  # noqa: S608


def _adapters() -> dict[type, Callable[[Any], Any]]:
    """Say by type what becomes of a value on its way to the database; the others stay.

    Asking each field for that took most of the time that the log takes.
    """
    adapters: dict[type, Callable[[Any], Any]] = {
        datetime: connection.ops.adapt_datetimefield_value
    }
    if not connection.features.has_native_uuid_field:
        adapters[uuid.UUID] = attrgetter("hex")
    return adapters


writer = LogWriter()


def start() -> None:
    """Write what is noted from now on, and what is left when the process ends."""
    writer.start()


def note(*, path: str, method: str, host: str, connector: str, **fields: Any) -> None:
    """Take a row of the log; ``path`` is one without its query, ``connector`` a slug or nothing."""
    outcome = outcome_of(fields["status"], fields["problem"])
    calls, seconds = _counters(connector or "none", fields["environment"], outcome)
    calls.inc()
    seconds.observe(fields["milliseconds"] / 1000)
    writer.note(path=path[:PATH], method=method[:20], host=host[:255], at=timezone.now(), **fields)


@cache
def _counters(connector: str, environment: str, outcome: str) -> tuple[Counter, Histogram]:
    """Find what counts these calls; the library takes longer for that than for counting."""
    calls = INVOCATIONS.labels(connector, environment, outcome)
    return calls, SECONDS.labels(connector, environment)


def note_run(
    exchange: Exchange,
    request: ServiceRequest,
    state: ConnectionState,
    application: Application,
    client: Organization | None,
    user: User | None,
) -> None:
    """Take a row for a call that a run has made: the client's, where it is installed."""
    note(
        organization_id=client.pk if client else application.organization_id,
        application_id=application.pk,
        connection_id=state.connection,
        connector=state.snapshot.connector,
        environment=state.environment.value,
        user_id=user.pk if user else None,
        method=exchange.method,
        host=urlsplit(exchange.address).netloc,
        path=request.path,
        status=exchange.status,
        problem="run-problem" if exchange.problem else "",
        milliseconds=exchange.milliseconds,
        bytes_in=len(exchange.body.encode()),
        bytes_out=len(exchange.answer_body.encode()),
    )


def _at_end() -> None:
    if writer.is_started:
        writer.write()
    forget_process()


def _in_child() -> None:
    """A process that was forked off has none of the threads, and not these rows to write."""
    global writer
    started, writer = writer.is_started, LogWriter(writer.most)
    if started:
        writer.start()


atexit.register(_at_end)
# Workers that were forked end without the above.
multiprocessing.Finalize(None, _at_end, exitpriority=10)
os.register_at_fork(after_in_child=_in_child)
