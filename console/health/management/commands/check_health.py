"""``manage.py check_health``: test credentials and send notices about those that stopped."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from connections.credentials.rounds import VisitOutcome, go_round, summary
from console.health.credential_checks import check_one
from console.health.notices import send_notices
from console.health.unreadable_secrets import check_next_rows
from console.jobs.graceful_stop import Stopping
from console.monitoring.readiness import refuse_wrong_keys


class Command(BaseCommand):
    help = (
        "Make the check call of the credentials that are due, and notify people by mail about "
        "connections that have stopped working. Run it every minute with cron or a timer. It is "
        "safe to stop or kill it, to run it again, and to run several at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_wrong_keys()
        with Stopping() as stopping:
            results = go_round("check_at", check_one, stopping.goes_on)
            notified = send_notices()
            unreadable = check_next_rows()
        words = f"; unreadable secrets: {unreadable}" if unreadable else ""
        self.stdout.write(f"check_health: {summary(results)}; people notified: {notified}{words}.")
        if results[VisitOutcome.FAILED]:
            raise SystemExit(1)
