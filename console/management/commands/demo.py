"""Set up and run the demo: a console with people, an application and the sandbox service."""

from __future__ import annotations

import os
import signal
import time
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.demo.earlier_database import refuse_earlier_database
from console.demo.environment import demo_folder
from console.demo.processes import (
    sandbox_preparation,
    sandbox_registration,
    servers,
    wait_until_ready,
)
from console.demo.seed import OPERATOR, PEOPLE, sandbox_client, seed
from console.demo.static_files import collect_static_files


class Command(BaseCommand):
    help = "Set up the demo under var/ and run the console and the sandbox service."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--setup-only", action="store_true", help="Set up without running it.")

    def handle(self, *args: Any, **options: Any) -> None:
        password = os.environ.get("DEMO_PASSWORD", "")
        if not password or not settings.SANDBOX_URL:
            raise CommandError(
                "The demo needs DEMO_PASSWORD and SANDBOX_URL in the environment. Leave SECRET_KEY "
                "unset, and manage.py sets all of them."
            )
        signal.signal(signal.SIGTERM, _interrupt)
        try:
            people = self._set_up(password)
            if options["setup_only"]:
                with sandbox_registration(sandbox_client(), _environment()):
                    return
            self._run(people, password)
        except KeyboardInterrupt:
            self.stdout.write("stopped")
        except RuntimeError as error:
            raise CommandError(str(error)) from error

    def _set_up(self, password: str) -> list[tuple[str, str]]:
        refuse_earlier_database()
        with sandbox_preparation(_environment()):
            call_command("migrate", verbosity=0)
            collect_static_files()
            return seed(password)

    def _run(self, people: list[tuple[str, str]], password: str) -> None:
        port, sandbox_port = int(os.environ.get("PORT", "8000")), _sandbox_port()
        logs = demo_folder() / "logs"
        with servers(port, sandbox_port, _environment(), logs) as processes:
            with sandbox_registration(sandbox_client(), _environment()):
                wait_until_ready(port, sandbox_port, processes, logs)
            self._print_people(people, password)
            while all(process.poll() is None for process in processes):
                time.sleep(0.5)
            raise RuntimeError(f"A server ended. See the logs in {logs}.")

    def _print_people(self, people: list[tuple[str, str]], password: str) -> None:
        self.stdout.write(f"\nDeveloper Console   {settings.PUBLIC_URL}")
        self.stdout.write(f"Sandbox service     {settings.SANDBOX_URL}\n\n")
        self.stdout.write(f"Everybody's password is {password}\n")
        for email, role in people:
            self.stdout.write(f"  {email:28}{role}")
        self.stdout.write("  alice, bob                  at the sandbox service")
        self.stdout.write("\nAlice's API key at the sandbox service is the same password.")
        self.stdout.write("ready")
        self.stdout.flush()


def _sandbox_port() -> int:
    return int(os.environ.get("SANDBOX_PORT", "9000"))


def _environment() -> dict[str, str]:
    """Return the environment of the demo's processes."""
    sandbox = {"SANDBOX_PORT": str(_sandbox_port()), "SANDBOX_DATA": str(demo_folder() / "sandbox")}
    accounts = ",".join([*(email for people in PEOPLE.values() for email in people), OPERATOR])
    return {**os.environ, "DEMO_ACCOUNTS": accounts, **sandbox}


def _interrupt(*args: Any) -> NoReturn:
    raise KeyboardInterrupt
