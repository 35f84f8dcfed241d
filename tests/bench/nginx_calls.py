"""Compare calls that nginx makes itself (``deploy/nginx``) with direct calls.

Service, client and console are those of ``proxy_calls.py``; the route, the decryption and the line
in the log of calls are included. The aim is a ratio in one run.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from pathlib import Path

from tests.bench import calls
from tests.bench.figures import Figure
from tests.bench.load import THREADS, bare_proxy, granian, load, upstream
from tests.gateway.nginx_server import SECRET, nginx

ROUNDS = 5
OF_DIRECT = 0.50


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
            "GATEWAY_SECRET": SECRET,
        }
        with ProcessPoolExecutor(1, context) as process:
            key = process.submit(calls.fill, environment, {"item": "sandbox_api_key"}).result()
        with (
            granian("console.asgi:application", environment, folder, THREADS) as (console, _),
            nginx(folder / "nginx", console) as proxy,
            bare_proxy(folder, service) as bare,
        ):
            item, path = "/key/api/item", "/api/v1/connections/item/proxy/item"
            where = {
                "direct": (service + item, ""),
                "nginx, bare proxy": (bare + item, ""),
                "nginx path": (proxy.url + path, key),
                "Python path": (console + path, key),
            }
            yield from _rates(database, where)


def _rates(database: str, where: Mapping[str, tuple[str, str]]) -> Iterator[Figure]:
    for each in where.values():
        load(*each, seconds=2)
    rounds = [{name: load(*each) for name, each in where.items()} for _ in range(ROUNDS)]
    for name in where:
        rate = statistics.median(each[name].rate for each in rounds)
        yield Figure(name=f"{database}: calls, {name}", value=rate, unit="requests/s")
    # A bare proxy of the same nginx says how much of the distance could be made up at all.
    for faster, aim in {"direct": 1 / OF_DIRECT, "nginx, bare proxy": None}.items():
        ratio = statistics.median(each[faster].rate / each["nginx path"].rate for each in rounds)
        name = f"{database}: calls, {faster} : nginx path"
        yield Figure(name=name, value=ratio, unit="ratio", aim=aim)
    p99 = statistics.median(each["nginx path"].p99 for each in rounds)
    yield Figure(name=f"{database}: calls, nginx path: p99", value=p99, unit="ms")
    failed = sum(each[name].failed for each in rounds for name in where)
    yield Figure(name=f"{database}: nginx path: failed calls", value=failed, unit="", aim=0)
