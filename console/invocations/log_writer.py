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
from datetime import datetime
from multiprocessing import util as multiprocessing
from urllib.parse import urlsplit

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from connections.authorizations.connection_state import ConnectionState
from connections.calls.exchange import Exchange, ServiceRequest
from console.accounts.models import Organization, User
from console.applications.models import Application
from console.database import release_connection
from console.invocations.call_line import HOST_LENGTH, PATH_LENGTH, CallContext, CallLine
from console.invocations.call_metrics import measure
from console.invocations.equal_calls import count_equal
from console.invocations.hourly_counts import count
from console.invocations.log_table import insert
from console.monitoring.metrics import DROPPED, WAITING, forget_process

logger = logging.getLogger(__name__)

EVERY_SECONDS = 0.5
BATCH = 500
MAX_ROWS = 50_000


class LogWriter:
    """A queue of rows, and the thread that writes them to the database."""

    def __init__(self, max_rows: int = MAX_ROWS) -> None:
        self.max_rows = max_rows
        self.dropped = 0
        self._rows: deque[CallLine] = deque()
        self._batch_is_full = threading.Event()
        self._write_lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def waiting(self) -> int:
        """Return how many rows are not written yet."""
        return len(self._rows)

    def add(self, line: CallLine) -> None:
        """Queue a row."""
        if len(self._rows) >= self.max_rows:
            self.dropped += 1
            DROPPED.inc()
            return
        self._rows.append(line)
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
                    equal = count_equal(batch)
                    with transaction.atomic():
                        insert(batch)
                        count(equal)
                    for _ in batch:
                        self._rows.popleft()
                    measure(equal)
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


writer = LogWriter()


def start() -> None:
    """Start writing the call log in this process."""
    writer.start()


def note(
    context: CallContext,
    *,
    method: str,
    path: str,
    status: int,
    milliseconds: int,
    problem: str = "",
    bytes_in: int = 0,
    bytes_out: int = 0,
    refreshed: bool = False,
    at: datetime | None = None,
) -> None:
    """Queue a row of the call log; ``path`` has no query string."""
    writer.add(
        CallLine(
            context,
            method[:20],
            path[:PATH_LENGTH],
            status,
            problem,
            milliseconds,
            bytes_in,
            bytes_out,
            refreshed,
            at or timezone.now(),
        )
    )


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
        CallContext(
            organization_id=client.pk if client else application.organization_id,
            application_id=application.pk,
            connection_id=state.connection,
            environment=state.environment.value,
            user_id=user.pk if user else None,
            key_prefix="",
            host=called.netloc[:HOST_LENGTH],
            connector=state.snapshot.connector,
        ),
        method=exchange.method,
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
