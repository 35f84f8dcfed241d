"""``manage.py deliver_webhooks``: send the messages that are due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.jobs.graceful_stop import Stopping
from console.webhooks.deliveries import deliver_due


class Command(BaseCommand):
    help = (
        "Send the webhook messages that are due. Run it every minute with cron or a timer. It is "
        "safe to stop or kill it, to run it again, and to run several at once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with Stopping() as stopping:
            results = deliver_due(stopping.goes_on)
        parts = [f"{number} {result}" for result, number in sorted(results.items())]
        self.stdout.write(f"deliver_webhooks: {', '.join(parts) or 'nothing to send'}.")
