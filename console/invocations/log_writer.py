"""Write the call log in batches from a background thread.

A call never waits for the log. Rows wait in memory, at most ``MAX_ROWS``, until a thread writes
them: twice a second, and once more when the process ends. If the database is unavailable and
the memory is full, new rows are dropped and counted.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, lru_cache
from itertools import chain
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
MAX_ROWS = 50_000
PATH_LENGTH = 500
_IDS = ("organization_id", "application_id", "connection_id", "user_id")


class LogWriter:
    """A queue of rows, and the thread that writes them to the database."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.max_rows = max_rows
        self.dropped = 0
        self._rows: deque[dict[str, Any]] = deque()
        self._batch_is_full = threading.Event()
        self._write_lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Return how many rows are not written yet."""
        return len(self._rows)

    def note(self, **fields: Any) -> None:
        """Queue a row."""
        if len(self._rows) >= self.max_rows:
            self.dropped += 1
            DROPPED.inc()
            return
        self._rows.append(fields)
        if len(self._rows) == BATCH:
            self._batch_is_full.set()

    def start(self) -> None:
        """Start the thread if it is not running."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="invocations", daemon=True)
            self._thread.start()

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def write(self) -> bool:
        """Write all queued rows and return whether the database accepted them."""
        with self._write_lock:
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
        reported = 0
        while True:
            self._batch_is_full.wait(EVERY_SECONDS)
            self._batch_is_full.clear()
            if self._rows:
                written = self.write()
                release_connection()
                if not written:
                    time.sleep(1)  # even if a full batch is waiting
            WAITING.set(self.waiting)
            if self.dropped > reported:
                reported = self.dropped
                logger.error("%d invocations were dropped since the start.", reported)


def _insert(rows: list[dict[str, Any]]) -> None:
    """Insert rows without creating model instances, which took most of the time."""
    fields = [field for field in Invocation._meta.concrete_fields if not field.primary_key]
    quoted = connection.ops.quote_name
    columns = ", ".join(quoted(str(field.column)) for field in fields)
    into = f"{quoted(Invocation._meta.db_table)} ({columns})"
    values = _values(rows, fields)
    with connection.cursor() as cursor, connection.wrap_database_errors:
        if connection.vendor == "postgresql":  # where executemany sends one row at a time
            with cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for each in values:
                    copy.write_row(each)
        else:
            # One statement: executemany releases Python's lock for each row, and a busy thread
            # keeps it for five milliseconds before it gives it back.
            slots = f"({', '.join(['%s'] * len(fields))})"
            every_slot = ", ".join([slots] * len(values))
            cursor.execute(f"INSERT INTO {into} VALUES {every_slot}", list(chain(*values)))  # noqa: S608


def _values(rows: Iterable[dict[str, Any]], fields: Iterable[Any]) -> list[Collection[Any]]:
    """Return the values of each row in the order of the fields, as the database takes them.

    Asking each model field to convert its value took most of the time of a write.
    """
    adapters: dict[str, Callable[[Any], Any]] = {}
    if not connection.features.has_native_uuid_field:
        # Calls that nginx has made come many at a time, with the same IDs and the same moment.
        moment = lru_cache(maxsize=1)(connection.ops.adapt_datetimefield_value)
        adapters = dict.fromkeys(_IDS, attrgetter("hex")) | {"at": moment}
    defaults = {field.attname: field.get_default() for field in fields}
    values: list[Collection[Any]] = []
    for row in rows:
        complete = {**defaults, **row}
        for name, adapt in adapters.items():
            if complete[name] is not None:
                complete[name] = adapt(complete[name])
        values.append(complete.values())
    return values


writer = LogWriter()


def start() -> None:
    """Start writing the call log in this process."""
    writer.start()


def note(*, path: str, method: str, host: str, connector: str, **fields: Any) -> None:
    """Queue a row of the call log.

    ``path`` has no query string. ``connector`` is a slug, or empty if there is none.
    """
    outcome = outcome_of(fields["status"], fields["problem"])
    calls, seconds = _counters(connector or "none", fields["environment"], outcome)
    calls.inc()
    seconds.observe(fields["milliseconds"] / 1000)
    writer.note(
        path=path[:PATH_LENGTH], method=method[:20], host=host[:255], at=timezone.now(), **fields
    )


def note_all(
    shared: Mapping[str, Any], calls: Iterable[Mapping[str, Any]], *, connector: str
) -> None:
    """Queue a row for each call; all of them have the fields ``shared``."""
    now, environment = timezone.now(), shared["environment"]
    for call in calls:
        outcome = outcome_of(call["status"], call["problem"])
        count_of, seconds = _counters(connector or "none", environment, outcome)
        count_of.inc()
        seconds.observe(call["milliseconds"] / 1000)
        writer.note(at=now, **shared, **call)


@cache
def _counters(connector: str, environment: str, outcome: str) -> tuple[Counter, Histogram]:
    """Return the metrics of these calls. Cached: the lookup takes longer than the counting."""
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
    """Queue a row for a call made by a component's run; ``client`` is None where it is built."""
    called = urlsplit(exchange.address)
    note(
        organization_id=client.pk if client else application.organization_id,
        application_id=application.pk,
        connection_id=state.connection,
        connector=state.snapshot.connector,
        environment=state.environment.value,
        user_id=user.pk if user else None,
        method=exchange.method,
        host=called.netloc,
        path=(called.path if called.netloc else request.path) or "/",
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
    """Start afresh in a forked process: threads are not inherited; the parent writes its rows."""
    global writer
    started, writer = writer.is_started, LogWriter(writer.max_rows)
    if started:
        writer.start()


atexit.register(_at_end)
# Forked workers exit without running atexit handlers.
multiprocessing.Finalize(None, _at_end, exitpriority=10)
os.register_at_fork(after_in_child=_in_child)
