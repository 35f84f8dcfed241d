"""Renew the grants that nobody uses, before they lapse."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from connections.credentials.renewal import renew
from connections.credentials.rounds import VisitOutcome, go_round, summary
from console.jobs.graceful_stop import Stopping
from console.monitoring.readiness import refuse_wrong_keys


class Command(BaseCommand):
    help = (
        "Renew the credentials whose turn has come. It may be stopped, killed and run again, "
        "also beside itself; cron or a timer runs it every minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_wrong_keys()
        with Stopping() as stopping:
            came = go_round("renew_at", renew, stopping.goes_on)
        self.stdout.write(f"refresh_due: {summary(came)}.")
        if came[VisitOutcome.FAILED]:
            raise SystemExit(1)
