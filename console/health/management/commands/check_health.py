"""Test what is authorized, and tell people what has stopped."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from connections.credentials.rounds import VisitOutcome, go_round, summary
from console.health.credential_checks import check_one
from console.health.notices import tell_people
from console.health.unreadable_secrets import look_through
from console.jobs.graceful_stop import Stopping
from console.monitoring.readiness import refuse_wrong_keys


class Command(BaseCommand):
    help = (
        "Make the check call of the credentials whose turn has come, and mail to whoever can "
        "mend what has stopped. It may be stopped, killed and run again, also beside itself; "
        "cron or a timer runs it every minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_wrong_keys()
        with Stopping() as stopping:
            came = go_round("check_at", check_one, stopping.goes_on)
            told = tell_people()
            unreadable = look_through()
        words = f"; secrets that do not open: {unreadable}" if unreadable else ""
        self.stdout.write(f"check_health: {summary(came)}; people told: {told}{words}.")
        if came[VisitOutcome.FAILED]:
            raise SystemExit(1)
