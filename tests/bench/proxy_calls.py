"""Compare calls through a connection with direct calls and with a hand-written proxy.

nginx is the service and wrk the client. The console runs as it is deployed: granian, two
processes, key check, decryption and log included. The hand-written proxy runs under gunicorn, as
is usual, and under granian. Aims are ratios in one run: all share the processors of this machine.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.context import SpawnContext
from pathlib import Path

import requests

from tests.bench import calls
from tests.bench.figures import Figure
from tests.bench.load import SECONDS, THREADS, by_hand, granian, load, upstream
from tests.bench.server import resident_megabytes

ROUNDS = 5
SLOW_SECONDS, SLOW_CALLERS = 5.0, 200
OF_DIRECT, OF_BY_HAND, P99_MS, SLOWDOWN, GROWN_MIB = 0.10, 8, 50, 1.2, 16
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


def measured(
    database: str, url: str, variables: Mapping[str, str], folder: Path, context: SpawnContext
) -> Iterator[Figure]:
    """Measure calls; ``url`` is the URL of an empty database."""
    folder.mkdir()
    with upstream(folder) as service, _slow_service() as slow:
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
        with _console(environment, folder) as (console, pid), by_hand(folder, service) as hands:
            yield from _rates(database, service, console, hands, key)
            yield from _streams(database, console, key, pid)
            yield from _with_a_slow_service(database, console, key)


def _rates(
    database: str, service: str, console: str, hands: tuple[str, str], key: str
) -> Iterator[Figure]:
    where = {
        "direct": (f"{service}/key/api/item", ""),
        "proxy": (f"{console}/item/proxy/item", key),
        "by hand, gunicorn": (hands[0], ""),
        "by hand, granian": (hands[1], ""),
    }
    for each in where.values():
        load(*each, seconds=2)
    rounds = [{name: load(*each) for name, each in where.items()} for _ in range(ROUNDS)]
    for name in where:
        rate = statistics.median(each[name].rate for each in rounds)
        yield Figure(name=f"{database}: calls, {name}", value=rate, unit="requests/s")
    # Aims are maximums, so these ratios say how much slower than direct, or faster than by hand.
    aims = {"direct": 1 / OF_DIRECT, "by hand, gunicorn": 1 / OF_BY_HAND, "by hand, granian": None}
    for name, aim in aims.items():
        ratio = statistics.median(each[name].rate / each["proxy"].rate for each in rounds)
        name = f"{database}: calls, {name} : proxy"
        yield Figure(name=name, value=ratio, unit="ratio", aim=aim)
    p99 = statistics.median(each["proxy"].p99 for each in rounds)
    yield Figure(name=f"{database}: calls, proxy: p99", value=p99, unit="ms", aim=P99_MS)
    failed = sum(each[name].failed for each in rounds for name in where)
    yield Figure(name=f"{database}: failed calls", value=failed, unit="", aim=0)


def _streams(database: str, console: str, key: str, pid: int) -> Iterator[Figure]:
    """Receive a large response and measure how much the console's memory grows."""
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
            name=f"{database}: memory growth for a response of {size // 1_000_000:,} MB",
            value=peak - before,
            unit="MiB",
            aim=GROWN_MIB,
        )


def _with_a_slow_service(database: str, console: str, key: str) -> Iterator[Figure]:
    """Call a fast service while many callers of a slow one wait and follow ``Retry-After``."""
    url = f"{console}/item/proxy/item"
    without = [_p95_of_calm_calls(url, key) for _ in range(3)]
    over = threading.Event()
    callers = [
        threading.Thread(target=_call_until, args=(over, f"{console}/slow/proxy/item", key))
        for _ in range(SLOW_CALLERS)
    ]
    for caller in callers:
        caller.start()
    time.sleep(2)
    during = [_p95_of_calm_calls(url, key) for _ in range(3)]
    over.set()
    for caller in callers:
        caller.join()
    before, after = statistics.median(without), statistics.median(during)
    yield Figure(name=f"{database}: p95 without a slow service", value=before, unit="ms")
    yield Figure(
        name=f"{database}: p95 with : without {SLOW_CALLERS} callers of a slow service",
        value=after / before,
        unit="ratio",
        aim=SLOWDOWN,
    )


def _p95_of_calm_calls(url: str, key: str) -> float:
    """Send requests over four connections, each as soon as the last one is answered."""
    return load(url, key, seconds=SECONDS, connections=4).p95


def _call_until(over: threading.Event, url: str, key: str) -> None:
    with requests.Session() as session:
        while not over.is_set():
            answer = session.get(url, headers=_with(key), timeout=60)
            if answer.status_code == 503:
                over.wait(float(answer.headers["Retry-After"]))
            elif answer.status_code != 200:
                raise RuntimeError(f"{url} answered {answer.status_code}: {answer.text}")


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}


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
    with granian("console.asgi:application", dict(environment), folder, THREADS) as (url, pid):
        yield f"{url}/api/v1/connections", pid
