"""The console as it is deployed: granian, its own database, and services defined by tests."""

from __future__ import annotations

import multiprocessing
import os
import re
import socket
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import calls
from tests.servers import ROOT, free_port, running, wait_for_page

THREADS = 64
SERVICE = """
name = "{name}"
category = "Sandbox"
summary = "A service of these tests."
documentation = "{url}/"
sources = ["{url}/"]
read_on = "2026-11-24"
sandbox = true
api_base_url = "{url}/api"
check = {{ path = "/me" }}

[api_key]
fields = [{{ name = "key", label = "API key" }}]

[api_key.signing]
header = "X-Api-Key"
value = "{{key}}"
"""


@dataclass(frozen=True, kw_only=True)
class Served:
    """A running console with one worker process; ``key`` is an API key of its application."""

    url: str
    key: str
    main: int
    log: Path
    database: Path

    @property
    def worker(self) -> int:
        """Return the ID of the worker process."""
        children = Path(f"/proc/{self.main}/task/{self.main}/children").read_text().split()
        return max(map(int, children), key=lambda pid: self.memory("VmRSS", pid))

    def memory(self, name: str = "VmRSS", pid: int | None = None) -> int:
        """Return a figure of the worker's memory in bytes; ``VmHWM`` is the peak."""
        status = Path(f"/proc/{pid or self.worker}/status").read_text()
        found = re.search(rf"{name}:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0

    def forget_peak(self) -> None:
        """Reset ``VmHWM``."""
        Path(f"/proc/{self.worker}/clear_refs").write_text("5")

    def address(self, link_name: str, path: str) -> str:
        return f"{self.url}/api/v1/connections/{link_name}/proxy/{path}"

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", "Accept-Encoding": "identity"}

    def sends(self, request: bytes) -> bytes:
        """Send bytes unchanged and return the whole response."""
        parts = urlsplit(self.url)
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as sock:
            sock.sendall(request)
            answer = b""
            while piece := sock.recv(65536):
                answer += piece
        return answer

    def rows(self, statement: str) -> list[tuple]:
        """Run a statement in the database, bypassing the console."""
        with closing(sqlite3.connect(self.database, timeout=20)) as database, database:
            return database.execute(statement).fetchall()


def filled(folder: Path, services: Mapping[str, str], **more: str) -> tuple[dict[str, str], str]:
    """Create a database with a connection to each service; return the environment and a key."""
    catalogue = folder / "catalogue"
    catalogue.mkdir(parents=True)
    for name, url in services.items():
        (catalogue / f"{name}.toml").write_text(SERVICE.format(name=name.title(), url=url))
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/rows.sqlite3",
        "SANDBOX_URL": next(iter(services.values())),
        "EXTRA_CATALOGUES": str(catalogue),
        "ALLOWED_PRIVATE_HOSTS": ",".join(urlsplit(url).netloc for url in services.values()),
        "ALLOWED_HOSTS": "localhost",
        "PYTHONPATH": str(ROOT),
        **more,
    }
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        key = process.submit(calls.fill, environment, {name: name for name in services}).result()
    return environment, key


@contextmanager
def served(
    environment: Mapping[str, str], key: str, folder: Path, *, port: int | None = None
) -> Iterator[Served]:
    """Serve the console until the block ends."""
    port, log = port or free_port(), folder / f"granian-{os.urandom(4).hex()}.log"
    options = ["--interface", "asginl", "--host", "127.0.0.1", "--port", str(port)]
    options += ["--workers", "1", "--backpressure", "16384", "console.asgi:application"]
    with running(
        *(sys.executable, "-m", "granian", *options),
        log=log,
        folder=ROOT,
        environment={**os.environ, "WEB_THREADS": str(THREADS), **environment},
    ) as process:
        url = f"http://localhost:{port}"
        wait_for_page(f"{url}/readyz", log, process)
        yield Served(url=url, key=key, main=process.pid, log=log, database=folder / "rows.sqlite3")
