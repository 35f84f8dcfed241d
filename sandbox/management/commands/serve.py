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
    help = "Serve the sandbox on this machine only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=settings.SANDBOX_PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        port = options["port"]
        if not _free(port):
            raise CommandError(
                f"Port {port} is already in use. Choose another with --port or SANDBOX_PORT."
            )
        # Spawn, so that the worker reads its settings again: the issuer contains the port.
        os.environ["SANDBOX_PORT"] = str(port)
        multiprocessing.set_start_method("spawn")
        self.stdout.write(f"The sandbox listens at http://localhost:{port}")
        self.stdout.flush()
        Granian(
            "sandbox.wsgi:application",
            address="127.0.0.1",
            port=port,
            interface=Interfaces.WSGI,
            workers=1,  # the request counts are in its memory
            blocking_threads=8,  # a slow endpoint occupies one
            log_level=LogLevels.error,
            log_access=False,
            workers_kill_timeout=2,
        ).serve()


def _free(port: int) -> bool:
    """Return whether ``port`` is free; the server itself would share it silently."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
