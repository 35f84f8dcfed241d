"""``manage.py tell_licences``: mail clients about licences that end. For cron, once a day."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from console.distribution.licences import tell_licences


class Command(BaseCommand):
    help = (
        "Tell the super admins of clients by mail that a licence ends within three days, or has "
        "ended; each of them once. Safe to run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{tell_licences()} licences told of")
