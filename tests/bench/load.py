"""Client and servers of measured calls: wrk, nginx, granian and gunicorn.

``tests/setup.py`` installs nginx and wrk from Debian.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import run

from tests.bench import calls
from tests.servers import ROOT, free_port, running, wait_for_page

CONNECTIONS, PROCESSES, THREADS, SECONDS = 32, 2, 64, 4
ITEM = 1_700
NGINX = """
{user}daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 10000000; sendfile on; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {upstreams}
  server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""


def is_possible() -> bool:
    """Tell whether nginx and wrk are installed."""
    return _nginx() is not None and shutil.which("wrk") is not None


@dataclass(frozen=True, kw_only=True)
class Load:
    """Figures of wrk: requests a second, latencies in milliseconds, responses other than 2xx."""

    rate: float
    p50: float
    p95: float
    p99: float
    failed: int


def load(
    url: str,
    key: str = "",
    *,
    seconds: int = SECONDS,
    connections: int = CONNECTIONS,
    among: int = 0,
) -> Load:
    """Request one URL over many connections; ``%d`` in it becomes a number below ``among``."""
    header = ["-H", f"Authorization: Bearer {key}"] if key else []
    finished = run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT), *header, url],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "AMONG": str(among)},
    )
    printed = re.search(r"FIGURES (\S+) (\S+) (\S+) (\S+) (\S+)", finished.stdout)
    rate, p50, p95, p99, failed = map(float, printed.groups())
    return Load(rate=rate, p50=p50, p95=p95, p99=p99, failed=int(failed))


_SCRIPT = Path(__file__).with_name("proxy_calls.lua")


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def upstream(folder: Path) -> Iterator[str]:
    """Serve files as the service; yield its URL."""
    files = folder / "files" / "key" / "api"
    files.mkdir(parents=True)
    (files / "item").write_text('{"name": "' + "x" * (ITEM - 13) + '"}\n')
    for name, size in {"10mb": 10_000_000, "1gb": 1_000_000_000}.items():
        with (files / name).open("wb") as file:
            file.truncate(size)  # a sparse file
    with _nginx_with(f"root {folder}/files;", folder / "service") as url:
        yield url


@contextmanager
def bare_proxy(folder: Path, service: str) -> Iterator[str]:
    """Serve the service through an nginx that only passes on; yield its URL."""
    kept = f"upstream service {{ server {service.removeprefix('http://')}; keepalive 64; }}"
    server = (
        "location / { proxy_pass http://service; proxy_http_version 1.1; "
        "proxy_set_header Connection ''; }"
    )
    with _nginx_with(server, folder / "bare", kept) as url:
        yield url


@contextmanager
def _nginx_with(server: str, folder: Path, upstreams: str = "") -> Iterator[str]:
    folder.mkdir()
    port = free_port()
    # Started by root, nginx would run as nobody, who cannot read the folder.
    user = "user root; " if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(
        NGINX.format(user=user, folder=folder, port=port, server=server, upstreams=upstreams)
    )
    log = folder / "nginx.log"
    command = [_nginx() or "nginx", "-p", str(folder), "-c", str(configuration)]
    with running(*command, log=log, folder=folder, environment=dict(os.environ)) as process:
        wait_for_page(f"http://127.0.0.1:{port}/key/api/item", log, process)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def by_hand(folder: Path, service: str) -> Iterator[tuple[str, str]]:
    """Yield the URLs of the hand-written proxy under gunicorn and under granian."""
    (folder / "by_hand.py").write_text(calls.BY_HAND)
    database = sqlite3.connect(folder / "tokens.sqlite3")
    database.execute("CREATE TABLE token (id INTEGER PRIMARY KEY, access_token, token_type)")
    database.execute("INSERT INTO token VALUES (1, ?, 'Bearer')", [calls.SECRET["access_token"]])
    database.commit()
    database.close()
    environment = {
        "BY_HAND": str(folder / "tokens.sqlite3"),
        "UPSTREAM": f"{service}/key/api/item",
        "PYTHONPATH": str(folder),
        "OAUTHLIB_INSECURE_TRANSPORT": "1",  # the service uses plain http
    }
    application, threads = "by_hand:application", 4
    with (
        gunicorn(application, environment, folder, threads) as usual,
        granian(application, environment, folder, threads) as (same, _),
    ):
        yield f"{usual}/call", f"{same}/call"


@contextmanager
def granian(
    application: str,
    environment: Mapping[str, str],
    folder: Path,
    threads: int,
    processes: int = PROCESSES,
) -> Iterator[tuple[str, int]]:
    """Serve an application as the console is served; yield its URL and the main process's ID."""
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", str(processes)]
    if application.startswith("console."):
        options += ["--interface", "asginl", "--backpressure", "16384"]
        environment = {"WEB_THREADS": str(threads), **environment}
    else:
        options += ["--interface", "wsgi", "--blocking-threads", str(threads)]
    with _served("granian", options, application, environment, folder, port) as process:
        yield f"http://localhost:{port}", process


@contextmanager
def gunicorn(
    application: str, environment: Mapping[str, str], folder: Path, threads: int
) -> Iterator[str]:
    """Serve an application with two processes, as is usual."""
    port = free_port()
    options = ["--bind", f"127.0.0.1:{port}", "--workers", str(PROCESSES)]
    options += ["--threads", str(threads)]
    with _served("gunicorn", options, application, environment, folder, port):
        yield f"http://localhost:{port}"


@contextmanager
def _served(
    server: str,
    options: list[str],
    application: str,
    environment: Mapping[str, str],
    folder: Path,
    port: int,
) -> Iterator[int]:
    log = folder / f"{application.partition(':')[0]}-{port}.log"
    page = "readyz" if application.startswith("console") else "call"
    with running(
        *(sys.executable, "-m", server, *options, application),
        log=log,
        folder=ROOT,
        environment={**os.environ, **environment},
    ) as process:
        wait_for_page(f"http://localhost:{port}/{page}", log, process)
        yield process.pid
