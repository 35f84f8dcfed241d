"""What a call through a connection costs, against the same call made directly.

nginx answers as the service, wrk asks; both are Debian's (``tests/setup.py``). The console
runs as it is deployed: granian, two processes, key check, decryption and log included. Each
figure is a ratio within one run: everything shares the processors of this machine.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.context import SpawnContext
from pathlib import Path
from subprocess import run

import requests

from tests.bench import calls
from tests.bench.figures import Figure
from tests.bench.serving import resident_megabytes
from tests.servers import ROOT, free_port, running, wait_for_page

CONNECTIONS, PROCESSES, THREADS = 32, 2, 64
SECONDS, ROUNDS = 4, 3
SLOW_SECONDS, SLOW_CALLERS = 5.0, 200
OF_DIRECT, OF_BY_HAND, P99_MS, MOVED, GROWN_MIB = 0.10, 8, 50, 1.2, 16
ITEM = 1_700
NGINX = """
{user}daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 10000000; sendfile on; default_type application/json;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""
SLOW = """
name = "Slow"
category = "Sandbox"
summary = "A service that takes its time."
documentation = "{url}/"
sources = ["{url}/"]
read_on = "2026-11-24"
sandbox = true
api_base_url = "{url}/key/api"
check = {{ path = "/item" }}

[api_key]
fields = [{{ name = "key", label = "API key" }}]

[api_key.signing]
header = "X-Api-Key"
value = "{{key}}"
"""


def is_possible() -> bool:
    """Tell whether nginx and wrk are here."""
    return _nginx() is not None and shutil.which("wrk") is not None


def measured(
    database: str, url: str, variables: Mapping[str, str], folder: Path, context: SpawnContext
) -> Iterator[Figure]:
    """Measure calls; ``url`` is that of an empty database."""
    folder.mkdir()
    with _upstream(folder) as service, _slow_service() as slow:
        catalogue = folder / "catalogue"
        catalogue.mkdir()
        (catalogue / "slow.toml").write_text(SLOW.format(url=slow))
        environment = {
            **variables,
            "DATABASE_URL": url,
            "SANDBOX_URL": service,
            "EXTRA_CATALOGUES": str(catalogue),
            "ALLOWED_PRIVATE_HOSTS": ",".join(
                each.removeprefix("http://") for each in (service, slow)
            ),
        }
        with ProcessPoolExecutor(1, context) as process:
            connections = {"item": "sandbox_api_key", "slow": "slow"}
            key = process.submit(calls.fill, environment, connections).result()
        with _console(environment, folder) as (console, pid), _by_hand(folder, service) as by_hand:
            yield from _rates(database, service, console, by_hand, key)
            yield from _streams(database, console, key, pid)
            yield from _beside_a_slow_one(database, console, key)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What wrk tells: requests a second, latencies in milliseconds, answers other than 2xx."""

    rate: float
    p50: float
    p95: float
    p99: float
    failed: int


def _rates(database: str, service: str, console: str, by_hand: str, key: str) -> Iterator[Figure]:
    where = {
        "direct": (f"{service}/key/api/item", ""),
        "proxy": (f"{console}/item/proxy/item", key),
        "by hand": (f"{by_hand}/call", ""),
    }
    for name in where:
        load(*where[name], seconds=1)
    rounds = [{name: load(*where[name]) for name in where} for _ in range(ROUNDS)]
    for name in where:
        rate = statistics.median(each[name].rate for each in rounds)
        yield Figure(name=f"{database}: calls, {name}", value=rate, unit="requests/s")
    of_direct = statistics.median(each["proxy"].rate / each["direct"].rate for each in rounds)
    of_by_hand = statistics.median(each["proxy"].rate / each["by hand"].rate for each in rounds)
    p99 = statistics.median(each["proxy"].p99 for each in rounds)
    # An aim is the most that a figure may be: so these say how many times slower, and faster.
    yield Figure(
        name=f"{database}: calls, direct : proxy",
        value=1 / of_direct,
        unit="ratio",
        aim=1 / OF_DIRECT,
    )
    yield Figure(
        name=f"{database}: calls, by hand : proxy",
        value=1 / of_by_hand,
        unit="ratio",
        aim=1 / OF_BY_HAND,
    )
    yield Figure(name=f"{database}: calls, proxy: p99", value=p99, unit="ms", aim=P99_MS)
    failed = sum(each[name].failed for each in rounds for name in where)
    yield Figure(name=f"{database}: calls that failed", value=failed, unit="", aim=0)


def _streams(database: str, console: str, key: str, pid: int) -> Iterator[Figure]:
    """Take a large answer and see how much memory the console needs beyond what it had."""
    for name, size in {"10mb": 10_000_000, "1gb": 1_000_000_000}.items():
        before = peak = resident_megabytes(pid)
        received = 0
        url = f"{console}/item/proxy/{name}"
        with requests.get(url, headers=_with(key), stream=True, timeout=60) as answer:
            for count, piece in enumerate(answer.iter_content(1024 * 1024)):
                received += len(piece)
                if count % 20 == 0:
                    peak = max(peak, resident_megabytes(pid))
        if received != size:
            raise RuntimeError(f"{url} gave {received} of {size} bytes.")
        yield Figure(
            name=f"{database}: memory grown by an answer of {size // 1_000_000:,} MB",
            value=peak - before,
            unit="MiB",
            aim=GROWN_MIB,
        )


def _beside_a_slow_one(database: str, console: str, key: str) -> Iterator[Figure]:
    """Ask one service while many wait for another, who come again when Retry-After says."""
    url = f"{console}/item/proxy/item"
    alone = [_p95_of_calm_calls(url, key) for _ in range(3)]
    over = threading.Event()
    callers = [
        threading.Thread(target=_call_until, args=(over, f"{console}/slow/proxy/item", key))
        for _ in range(SLOW_CALLERS)
    ]
    for caller in callers:
        caller.start()
    time.sleep(2)
    beside = [_p95_of_calm_calls(url, key) for _ in range(3)]
    over.set()
    for caller in callers:
        caller.join()
    before, after = statistics.median(alone), statistics.median(beside)
    yield Figure(name=f"{database}: p95 alone", value=before, unit="ms")
    yield Figure(
        name=f"{database}: p95 beside {SLOW_CALLERS} callers of a slow service : alone",
        value=after / before,
        unit="ratio",
        aim=MOVED,
    )


def _p95_of_calm_calls(url: str, key: str) -> float:
    """Ask from four connections, as fast as they are answered."""
    return load(url, key, seconds=SECONDS, connections=4).p95


def _call_until(over: threading.Event, url: str, key: str) -> None:
    with requests.Session() as session:
        while not over.is_set():
            answer = session.get(url, headers=_with(key), timeout=60)
            if answer.status_code == 503:
                over.wait(float(answer.headers["Retry-After"]))
            elif answer.status_code != 200:
                raise RuntimeError(f"{url} answered {answer.status_code}: {answer.text}")


def load(
    url: str, key: str = "", *, seconds: int = SECONDS, connections: int = CONNECTIONS
) -> Load:
    """Ask for one address all the time, from many connections."""
    header = ["-H", f"Authorization: Bearer {key}"] if key else []
    finished = run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_SCRIPT), *header, url],
        capture_output=True,
        text=True,
        check=True,
    )
    told = re.search(r"FIGURES (\S+) (\S+) (\S+) (\S+) (\S+)", finished.stdout)
    rate, p50, p95, p99, failed = map(float, told.groups())
    return Load(rate=rate, p50=p50, p95=p95, p99=p99, failed=int(failed))


_SCRIPT = Path(__file__).with_name("invoking.lua")


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}


def _nginx() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def _upstream(folder: Path) -> Iterator[str]:
    files = folder / "files" / "key" / "api"
    files.mkdir(parents=True)
    (files / "item").write_text('{"name": "' + "x" * (ITEM - 13) + '"}\n')
    for name, size in {"10mb": 10_000_000, "1gb": 1_000_000_000}.items():
        with (files / name).open("wb") as file:
            file.truncate(size)  # takes no room on the disk
    port = free_port()
    # As root it would read as nobody, whom the folder is closed to.
    user = "user root; " if os.geteuid() == 0 else ""
    configuration = folder / "nginx.conf"
    configuration.write_text(NGINX.format(user=user, folder=folder, port=port))
    log = folder / "nginx.log"
    command = [_nginx() or "nginx", "-p", str(folder), "-c", str(configuration)]
    with running(*command, log=log, folder=folder, environment=dict(os.environ)) as process:
        wait_for_page(f"http://127.0.0.1:{port}/key/api/item", log, process)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _slow_service() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

        def do_GET(self) -> None:
            time.sleep(SLOW_SECONDS)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@contextmanager
def _console(environment: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    with granian("console.wsgi:application", dict(environment), folder, THREADS) as (url, pid):
        yield f"{url}/api/v1/connections", pid


@contextmanager
def _by_hand(folder: Path, service: str) -> Iterator[str]:
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
        "OAUTHLIB_INSECURE_TRANSPORT": "1",  # the service speaks plain http here
    }
    with granian("by_hand:application", environment, folder, 4) as (url, _):
        yield url


@contextmanager
def granian(
    application: str,
    environment: Mapping[str, str],
    folder: Path,
    threads: int,
    processes: int = PROCESSES,
) -> Iterator[tuple[str, int]]:
    """Serve an application from some processes; give its address and the main one's id."""
    port = free_port()
    log = folder / f"{application.partition(':')[0]}.log"
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    options += ["--workers", str(processes), "--blocking-threads", str(threads)]
    with running(
        *(sys.executable, "-m", "granian", *options, application),
        log=log,
        folder=ROOT,
        environment={**os.environ, **environment},
    ) as process:
        url = f"http://localhost:{port}"
        wait_for_page(
            f"{url}/{'readyz' if application.startswith('console') else 'call'}", log, process
        )
        yield url, process.pid
