"""Start real servers for tests, each on a free port of this machine."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest
import requests

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@dataclass(frozen=True, kw_only=True)
class SandboxServer:
    """A running sandbox service, and the commands that set it up."""

    url: str
    demo_password: str
    data: Path
    environment: dict[str, str] = field(repr=False)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``python -m sandbox`` with the data of this server; failure is not raised."""
        return _run(self.environment, *arguments)

    def register(
        self, client_id: str, *redirect_uris: str, secret: str = "", name: str = ""
    ) -> None:
        """Register an OAuth client; without ``secret`` it is a public one."""
        arguments = ["register", "--client-id", client_id]
        for uri in redirect_uris:
            arguments += ["--redirect-uri", uri]
        if name:
            arguments += ["--name", name]
        if secret:
            file = self.data / f"secret-{secrets.token_hex(4)}"
            file.write_text(secret, encoding="utf-8")
            arguments += ["--client-secret-file", str(file)]
        else:
            arguments.append("--public")
        _raise_on_failure(self.run(*arguments))

    def switches(self, **wanted: Any) -> dict[str, Any]:
        """Set these switches and return the state of all of them."""
        answer = requests.put(f"{self.url}/switches.json", json=wanted, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def counts(self) -> dict[str, int]:
        return requests.get(f"{self.url}/counts.json", timeout=10).json()

    def reset(self) -> None:
        """Switch off every fault and reset the counts."""
        for path in ("/switches.json", "/counts.json"):
            requests.delete(self.url + path, timeout=10).raise_for_status()


@contextmanager
def sandbox_server(
    data: Path, port: int | None = None, **environment: str
) -> Iterator[SandboxServer]:
    """Prepare a sandbox in the folder ``data`` and serve it until the block ends."""
    port = port or free_port()
    settings = os.environ | {
        "SANDBOX_DATA": str(data),
        "SANDBOX_PORT": str(port),
        "DEMO_PASSWORD": "open-sesame-1",
        "PYTHONPATH": str(ROOT),
    }
    settings |= environment
    _raise_on_failure(_run(settings, "prepare"))
    server = SandboxServer(
        url=f"http://localhost:{port}",
        demo_password=settings["DEMO_PASSWORD"],
        data=data,
        environment=settings,
    )
    with (data / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "serve"],
            cwd=ROOT,
            env=settings,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_ready(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)  # the worker must not outlive it
                process.wait()


#: Variables that a demo sets itself; those of the tests must not reach it.
_SET_BY_THE_DEMO = (
    "SECRET_KEY",
    "CRYPTOGRAPHY_KEYS",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "SANDBOX_URL",
    "ALLOWED_PRIVATE_HOSTS",
    "DATABASE_URL",
    "STATIC_ROOT",
)


@dataclass(frozen=True, kw_only=True)
class ConsoleDemo:
    """A running console with its sandbox, as ``make run`` starts them."""

    url: str
    sandbox_url: str
    password: str
    folder: Path


@contextmanager
def console_demo(
    folder: Path, database_url: str | None = None, **environment: str
) -> Iterator[ConsoleDemo]:
    """Run ``manage.py demo`` with all of its files in ``folder`` until the block ends.

    Without ``database_url`` it uses an SQLite file in the folder. It starts much faster where the
    folder is a copy of one that ``set_up_demo`` made.
    """
    port, sandbox_port = free_port(), free_port()
    settings = _demo_environment(folder, PORT=str(port), SANDBOX_PORT=str(sandbox_port))
    if database_url:
        settings["DATABASE_URL"] = database_url
    settings |= environment
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "demo.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=settings,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for_line("ready", log, process)
            yield ConsoleDemo(
                url=f"http://localhost:{port}",
                sandbox_url=f"http://localhost:{sandbox_port}",
                password=settings["DEMO_PASSWORD"],
                folder=folder,
            )
        finally:
            end(process)


def set_up_demo(folder: Path) -> None:
    """Create the demo in ``folder`` on SQLite, without starting it."""
    command = [sys.executable, "manage.py", "demo", "--setup-only"]
    _raise_on_failure(
        subprocess.run(
            command,
            cwd=ROOT,
            env=_demo_environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
    )


def collect_compressed_files(folder: Path) -> None:
    """Collect the static files of a demo again as in production: compressed."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput"]
    _raise_on_failure(
        subprocess.run(
            command,
            cwd=ROOT,
            env=_demo_environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
    )


def _demo_environment(folder: Path, **more: str) -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in _SET_BY_THE_DEMO} | {
        "VAR_DIR": str(folder),
        "DEMO_PASSWORD": "open-sesame-1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


@contextmanager
def running(
    *command: str, log: Path, folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a folder until the block ends; then kill its process group."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        end(process)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop a server and wait until it has ended."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def crowd(url: str, request: bytes, number: int) -> Iterator[list[socket.socket]]:
    """Open this number of connections, send the same bytes on each, and close them at the end."""
    parts = urlsplit(url)
    with ExitStack() as stack:
        sockets = []
        for _ in range(number):
            sock = socket.create_connection((parts.hostname, parts.port), timeout=30)
            sockets.append(stack.enter_context(sock))
            sock.sendall(request)
        yield sockets


def unavailable(reason: str, *, wanted_in_ci: bool = True) -> NoReturn:
    """Skip the test with a reason, or fail it in CI, where everything can be installed."""
    if wanted_in_ci and os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def wait_for_line(line: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server has written this line into its log."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if line in log.read_text().splitlines():
            return
        time.sleep(0.1)
    raise RuntimeError(f"The server did not write {line!r}:\n{log.read_text()}")


def wait_for_page(url: str, log: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers at this URL."""
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(url, timeout=2).raise_for_status()
        except requests.RequestException:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"There is no answer from {url}:\n{log.read_text()}")


def _run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _raise_on_failure(finished: subprocess.CompletedProcess[str]) -> None:
    if finished.returncode:
        raise RuntimeError(f"{' '.join(finished.args)}\n{finished.stderr}")


def _wait_until_ready(server: SandboxServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{server.url}/counts.json", timeout=2).raise_for_status()
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"The sandbox did not start:\n{(server.data / 'server.log').read_text()}")
