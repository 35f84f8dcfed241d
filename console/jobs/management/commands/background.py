"""``manage.py background``: run all background jobs in one process."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from console.jobs.graceful_stop import Stopping
from console.monitoring.readiness import refuse_wrong_keys

logger = logging.getLogger(__name__)

#: Commands that run in every round, and commands that run once an hour.
JOBS = ("run_bulk_actions", "refresh_due", "check_health", "deliver_webhooks")
HOURLY = ("remind_licenses", "prune")
HOUR = 3_600


class Command(BaseCommand):
    help = (
        f"Run {', '.join(JOBS)}, and once an hour {' and '.join(HOURLY)}, until stopped. It "
        "replaces a timer for each command if one process is enough."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--every",
            type=float,
            default=60,
            metavar="SECONDS",
            help="How long to wait between rounds.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_wrong_keys()
        hourly_at = time.monotonic()
        with Stopping() as stopping:
            while stopping.goes_on():
                jobs: tuple[str, ...] = JOBS
                if time.monotonic() >= hourly_at:
                    jobs, hourly_at = (*JOBS, *HOURLY), hourly_at + HOUR
                for job in jobs:
                    if stopping.goes_on():
                        self._run(job)
                stopping.sleep(options["every"])

    def _run(self, job: str) -> None:
        """Run one job and log its errors, so that the next job still runs."""
        close_old_connections()
        try:
            call_command(job, stdout=self.stdout)
        except SystemExit:
            pass  # the command has already printed the error
        except Exception:
            logger.exception("%s could not be run.", job)
