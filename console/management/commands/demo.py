"""From a bare checkout to a running console with people, an application and a service."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from console.demo.environment import demo_folder
from console.demo.processes import prepare_sandbox, servers
from console.demo.seed import sandbox_client, seed
from console.demo.static_files import collect_static_files


class Command(BaseCommand):
    help = "Set up the demo under var/ and run the console and the sandbox service."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--setup-only", action="store_true", help="Set up and do not run anything."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("DEMO_PASSWORD", "")
        if not password or not settings.SANDBOX_URL:
            raise CommandError(
                "The demo needs DEMO_PASSWORD and SANDBOX_URL. Without SECRET_KEY in the "
                "environment it makes all of them itself."
            )
        folder = demo_folder()
        port = int(os.environ.get("PORT", "8000"))
        sandbox_port = int(os.environ.get("SANDBOX_PORT", "9000"))
        call_command("migrate", verbosity=0)
        collect_static_files()
        people = seed(password)
        environment = {
            **os.environ,
            "SANDBOX_PORT": str(sandbox_port),
            "SANDBOX_DATA": str(folder / "sandbox"),
        }
        prepare_sandbox(sandbox_client(), environment)
        if options["setup_only"]:
            return
        signal.signal(signal.SIGTERM, _stop)
        try:
            with servers(port, sandbox_port, environment, folder / "logs") as running:
                self._tell(people, password)
                while all(process.poll() is None for process in running):
                    time.sleep(0.5)
                raise CommandError(f"A server ended. The reason stands in {folder / 'logs'}.")
        except KeyboardInterrupt:
            self.stdout.write("stopped")
        except RuntimeError as error:
            raise CommandError(str(error)) from error

    def _tell(self, people: list[tuple[str, str]], password: str) -> None:
        self.stdout.write(f"\nDeveloper Console   {settings.PUBLIC_URL}")
        self.stdout.write(f"Sandbox service     {settings.SANDBOX_URL}\n\n")
        self.stdout.write(f"Everybody's password is {password}\n")
        for email, role in people:
            self.stdout.write(f"  {email:28}{role}")
        self.stdout.write("  alice, bob                  at the sandbox service")
        self.stdout.write("\nAlice's API key at the sandbox service is the same password.")
        self.stdout.write("ready")
        self.stdout.flush()


def _stop(*args: Any) -> None:
    raise KeyboardInterrupt
