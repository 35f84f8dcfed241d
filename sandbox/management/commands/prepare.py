from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from sandbox.seed import seed


class Command(BaseCommand):
    help = "Make the database, alice and bob, and a little data. May be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_PASSWORD:
            raise CommandError("Set DEMO_PASSWORD: it becomes the password of alice and bob.")
        call_command("migrate", interactive=False, verbosity=0)
        seed(settings.DEMO_PASSWORD)
        self.stdout.write(f"The sandbox is prepared in {settings.SANDBOX_DATA}.")
