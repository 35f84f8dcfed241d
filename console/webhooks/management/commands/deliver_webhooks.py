"""Send what webhooks are to be told."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.jobs.graceful_stop import Stopping
from console.webhooks.deliveries import deliver_due


class Command(BaseCommand):
    help = (
        "Send the messages whose time has come. It may be stopped, killed and run again, also "
        "beside itself; cron or a timer runs it every minute."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with Stopping() as stopping:
            came = deliver_due(stopping.goes_on)
        parts = [f"{number} {what}" for what, number in sorted(came.items())]
        self.stdout.write(f"deliver_webhooks: {', '.join(parts) or 'nothing to send'}.")
