"""``manage.py prune``: delete what is over. For cron, once a day."""

from __future__ import annotations

import logging
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.jobs.retention import STEPS

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Delete what is over: flows, files, sessions, and the credentials of people who were "
        "deactivated 30 days ago, which go back to their services. Safe to run at any time."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        failed = []
        for what, step in STEPS.items():
            try:
                count = step()
            except Exception:  # what fails must not keep the rest from being pruned
                logger.exception("Not pruned: %s", what)
                failed.append(what)
            else:
                self.stdout.write(f"{count} {what}")
        if failed:
            raise CommandError(f"Not pruned, see the log: {', '.join(failed)}.")
