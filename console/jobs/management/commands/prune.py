"""``manage.py prune``: delete expired rows. Run it once a day with cron."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.jobs.retention import STEPS

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Delete expired rows: flows, uploads, sessions, calls and messages. It also revokes the "
        "credentials of people who were deactivated 30 days ago. Safe to run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for what, step in STEPS.items():
            try:
                count = step()
            except Exception:  # a failed step must not prevent the others
                logger.exception("Not pruned: %s", what)
                failed.append(what)
            else:
                self.stdout.write(f"{count} {what}")
        if failed:
            raise CommandError(f"Not pruned, see the log: {', '.join(failed)}.")
