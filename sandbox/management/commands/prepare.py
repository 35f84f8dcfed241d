from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

from sandbox.seed import seed


class Command(BaseCommand):
    help = "Create the database, the users alice and bob, and sample data. Can be run again."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO_PASSWORD:
            raise CommandError("Set DEMO_PASSWORD, the password for alice and bob.")
        call_command("migrate", interactive=False, verbosity=0)
        seed(settings.DEMO_PASSWORD)
        self.stdout.write(f"The sandbox is ready in {settings.SANDBOX_DATA}.")
