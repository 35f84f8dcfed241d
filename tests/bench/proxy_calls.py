"""Compare calls through a connection with direct calls and with a hand-written proxy.

nginx is the service and wrk the client. The console runs as it is deployed: granian, two
processes, key check, decryption and log included. The hand-written proxy runs under gunicorn, as
is usual, and under granian. Aims are ratios in one run: all share the processors of this machine.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext
from pathlib import Path

import requests

from tests.bench import calls
from tests.bench.figures import Figure
from tests.bench.load import THREADS, by_hand, granian, load, upstream
from tests.bench.server import resident_megabytes

ROUNDS = 5
OF_DIRECT, OF_BY_HAND, P99_MS, GROWN_MIB = 0.15, 12, 25, 16


def measured(
    database: str, url: str, variables: Mapping[str, str], folder: Path, context: SpawnContext
) -> Iterator[Figure]:
    """Measure calls; ``url`` is the URL of an empty database."""
    folder.mkdir()
    with upstream(folder) as service:
        environment = {
            **variables,
            "DATABASE_URL": url,
            "SANDBOX_URL": service,
            "ALLOWED_PRIVATE_HOSTS": service.removeprefix("http://"),
        }
        with ProcessPoolExecutor(1, context) as process:
            key = process.submit(calls.fill, environment, {"item": "sandbox_api_key"}).result()
        with _console(environment, folder) as (console, pid), by_hand(folder, service) as hands:
            yield from _rates(database, service, console, hands, key)
            yield from _streams(database, console, key, pid)


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


def _with(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Accept-Encoding": "identity"}


@contextmanager
def _console(environment: Mapping[str, str], folder: Path) -> Iterator[tuple[str, int]]:
    with granian("console.asgi:application", dict(environment), folder, THREADS) as (url, pid):
        yield f"{url}/api/v1/connections", pid
