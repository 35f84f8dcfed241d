from __future__ import annotations

import multiprocessing
import os
import socket  # noqa: TID251 - only to see whether the port is free
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels


class Command(BaseCommand):
    help = "Serve the sandbox on this machine alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        if not _free(port):
            raise CommandError(f"Port {port} is taken; give another by --port or SANDBOX_PORT.")
        # The worker reads its settings afresh, the issuer with its port among them; a forked
        # one would have those of this process.
        os.environ["SANDBOX_PORT"] = str(port)
        multiprocessing.set_start_method("spawn")
        self.stdout.write(f"The sandbox listens at http://localhost:{port}")
        self.stdout.flush()
        Granian(
            "sandbox.wsgi:application",
            address="127.0.0.1",
            port=port,
            interface=Interfaces.WSGI,
            workers=1,  # the counts are in its memory
            blocking_threads=8,  # a door that is slow on purpose holds one
            log_level=LogLevels.error,
            log_access=False,
            workers_kill_timeout=2,
        ).serve()


def _free(port: int) -> bool:
    """Tell whether nobody listens at ``port``; the server itself would share it silently."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
