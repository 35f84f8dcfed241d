"""Start and stop the processes of the demo: the console, the background jobs, the sandbox."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from connections.models import OAuthClient
from console.demo.seed import sandbox_redirect_uris

START_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 10


@contextmanager
def sandbox_preparation(environment: Mapping[str, str]) -> Iterator[None]:
    """Create the sandbox's database, people and data while the block does other work."""
    with _sandbox_command(["prepare"], environment):
        yield


@contextmanager
def sandbox_registration(client: OAuthClient, environment: Mapping[str, str]) -> Iterator[None]:
    """Register this console as an OAuth client of the sandbox while the block does other work."""
    client_secret = client.client_secret
    if client_secret is None:
        raise RuntimeError("The OAuth client of the sandbox has no client secret.")
    with tempfile.NamedTemporaryFile("w", suffix=".secret") as file:
        file.write(client_secret.reveal())
        file.flush()
        arguments = ["register", "--client-id", client.client_id, "--name", "Developer Console"]
        arguments += ["--client-secret-file", file.name]
        for uri in sandbox_redirect_uris(client):
            arguments += ["--redirect-uri", uri]
        with _sandbox_command(arguments, environment):
            yield


@contextmanager
def _sandbox_command(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[None]:
    """Run ``python -m sandbox`` beside the block, and wait for it after the block."""
    process = subprocess.Popen([sys.executable, "-m", "sandbox", *arguments], env=environment)
    try:
        yield
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if process.wait():
        raise RuntimeError(f"“python -m sandbox {arguments[0]}” failed. Its message is above.")


@contextmanager
def servers(
    port: int, sandbox_port: int, environment: Mapping[str, str], logs: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the servers and the background jobs, and stop them after the block."""
    granian = [sys.executable, "-m", "granian", "--interface", "asginl", "--host", "127.0.0.1"]
    console = [*granian, "--port", str(port), "--backpressure", "16384", "console.asgi:application"]
    sandbox = [sys.executable, "-m", "sandbox", "serve", "--port", str(sandbox_port)]
    commands = {
        "console": console,
        "sandbox": sandbox,
        "background": [sys.executable, "manage.py", "background"],
    }
    _check_that_port_is_free("PORT", port)
    _check_that_port_is_free("SANDBOX_PORT", sandbox_port)
    logs.mkdir(parents=True, exist_ok=True)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in commands.items():
            with (logs / f"{name}.log").open("ab") as log:
                processes.append(
                    subprocess.Popen(
                        command, env=environment, stdout=log, stderr=log, start_new_session=True
                    )
                )
        yield processes
    finally:
        _stop(processes)


def wait_until_ready(
    port: int, sandbox_port: int, processes: list[subprocess.Popen[bytes]], logs: Path
) -> None:
    """Return when both servers answer; raise where one of them ends or takes too long."""
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    for url in (f"http://127.0.0.1:{port}/readyz", f"http://127.0.0.1:{sandbox_port}/"):
        while not _answers(url):
            ended = any(process.poll() is not None for process in processes)
            if ended or time.monotonic() > deadline:
                raise RuntimeError(f"{url} does not answer. See the logs in {logs}.")
            time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (URLError, OSError):
        return False


def _check_that_port_is_free(variable: str, port: int) -> None:
    with socket.socket() as probe:
        # Granian would share the port with the other program, without an error.
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise RuntimeError(f"Port {port} is taken. Choose another one with {variable}.")


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    """Stop each process and its children; all of them at the same time."""
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
    for process in processes:
        try:
            process.wait(timeout=STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
