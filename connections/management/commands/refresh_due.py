"""Refresh unused grants before they expire."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from connections.credentials.renewal import renew
from connections.credentials.rounds import VisitOutcome, go_round, summary
from console.jobs.graceful_stop import Stopping
from console.monitoring.readiness import refuse_wrong_keys


class Command(BaseCommand):
    help = (
        "Refresh the credentials that are due. Run it every minute with cron or a timer. It can be "
        "stopped or killed at any time, and can run several times at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_wrong_keys()
        with Stopping() as stopping:
            results = go_round("renew_at", renew, stopping.goes_on)
        self.stdout.write(f"refresh_due: {summary(results)}.")
        if results[VisitOutcome.FAILED]:
            raise SystemExit(1)
