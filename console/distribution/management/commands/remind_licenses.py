"""``manage.py remind_licenses``: mail clients about licenses that end. For cron, once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.distribution.license_reminders import remind_licenses


class Command(BaseCommand):
    help = (
        "Tell the super admins of clients by mail that a license ends within three days, or has "
        "ended; each of them once. Safe to run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{remind_licenses()} licenses told of")
