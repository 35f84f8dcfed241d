"""Run the console and the sandbox service side by side until one of them ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from connections.models import OAuthClient
from console.demo.seed import sandbox_redirect_uris

PATIENCE_SECONDS = 60


def prepare_sandbox(client: OAuthClient, environment: Mapping[str, str]) -> None:
    """Make the sandbox's database, people and data, and register this console there."""
    sandbox = [sys.executable, "-m", "sandbox"]
    subprocess.run([*sandbox, "prepare"], env=environment, check=True)
    with tempfile.NamedTemporaryFile("w", suffix=".secret") as secret:
        register = ["register", "--client-id", client.client_id, "--name", "Developer Console"]
        secret.write(client.client_secret.reveal())
        secret.flush()
        uris = [part for uri in sandbox_redirect_uris(client) for part in ("--redirect-uri", uri)]
        subprocess.run(
            [*sandbox, *register, "--client-secret-file", secret.name, *uris],
            env=environment,
            check=True,
        )


@contextmanager
def servers(
    port: int, sandbox_port: int, environment: Mapping[str, str], logs: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start both servers, wait until they answer, and end them at the end."""
    granian = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1"]
    console = [*granian, "--port", str(port), "--no-ws"]
    commands = {
        "console": [*console, "console.asgi:application"],
        "sandbox": [
            sys.executable,
            "-m",
            "sandbox",
            "serve",
            "--port",
            str(sandbox_port),
        ],
        "background": [sys.executable, "manage.py", "background"],
    }
    for name, number in (("PORT", port), ("SANDBOX_PORT", sandbox_port)):
        with socket.socket() as probe:
            # Granian would share a taken port with whoever has it, without a word.
            if probe.connect_ex(("127.0.0.1", number)) == 0:
                raise RuntimeError(f"Port {number} is taken. Choose another one with {name}.")
    logs.mkdir(parents=True, exist_ok=True)
    running = []
    try:
        for name, command in commands.items():
            with (logs / f"{name}.log").open("ab") as log:
                running.append(
                    subprocess.Popen(
                        command, env=environment, stdout=log, stderr=log, start_new_session=True
                    )
                )
        _wait_for(f"http://127.0.0.1:{port}/readyz", running, logs)
        _wait_for(f"http://127.0.0.1:{sandbox_port}/", running, logs)
        yield running
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in running:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _wait_for(url: str, running: list[subprocess.Popen[bytes]], logs: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if any(process.poll() is not None for process in running):
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer. The reason stands in {logs}.")
