"""Do what a console does by itself, every minute, in one process."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import close_old_connections

from console.stopping import Stopping

logger = logging.getLogger(__name__)

JOBS = ("refresh_due", "check_health", "deliver_webhooks")


class Command(BaseCommand):
    help = (
        "Run " + ", ".join(JOBS) + " again and again until told to end: instead of a timer for "
        "each, where one process is enough."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--every", type=float, default=60, metavar="SECONDS", help="How long to rest between."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with Stopping() as stopping:
            while stopping.goes_on():
                for job in JOBS:
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
