"""Do what a console does by itself, every minute or every hour, in one process."""

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

#: What is done in every round, and what once an hour.
JOBS = ("refresh_due", "check_health", "deliver_webhooks")
HOURLY = ("remind_licenses", "prune")
HOUR = 3_600


class Command(BaseCommand):
    help = (
        f"Run {', '.join(JOBS)}, and once an hour {' and '.join(HOURLY)}, until told to end: "
        "instead of a timer for each, where one process is enough."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--every", type=float, default=60, metavar="SECONDS", help="How long to rest between."
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
        """Run one job; what it meets is no reason for the next one not to run."""
        close_old_connections()
        try:
            call_command(job, stdout=self.stdout)
        except SystemExit:
            pass  # it has said what was wrong
        except Exception:
            logger.exception("%s could not be run.", job)
