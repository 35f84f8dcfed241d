"""``manage.py remind_licenses``: send mail about licenses that end. Run it once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.distribution.license_reminders import remind_licenses


class Command(BaseCommand):
    help = (
        "Send mail to super admins of clients whose license ends within three days or has "
        "ended. Each mail is sent once. Safe to run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{remind_licenses()} license reminders sent")
