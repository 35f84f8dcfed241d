"""``manage.py run_bulk_actions``: continue bulk actions whose page was closed."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from connections.bulk.bulk_execution import continue_due
from console.jobs.graceful_stop import Stopping


class Command(BaseCommand):
    help = (
        "Continue bulk actions that nobody works on, because their page was closed. Run it every "
        "minute with cron or a timer. It is safe to stop or kill it, and to run several at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with Stopping() as stopping:
            number = continue_due(stopping.goes_on)
        self.stdout.write(f"run_bulk_actions: {number} continued.")
