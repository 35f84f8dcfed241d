"""Measure the effect of many hanging clients on other requests: runs and unsent bodies."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import requests

from tests.bench.figures import Figure
from tests.security.hostile_service import hostile_service
from tests.security.served_console import THREADS, Served, filled, served
from tests.servers import crowd

MANY, ASKED = THREADS + 6, 60
#: Hanging clients may cost CPU time, but must not make others wait.
SLOWDOWN = 3.0


def measured(variables: Mapping[str, str], folder: Path) -> Iterator[Figure]:
    """Measure /healthz and a call to a fast service, without and with hanging clients."""
    with hostile_service() as slow, hostile_service() as quick:
        # It has its own services and database.
        kept = {
            name: variables[name] for name in variables.keys() - {"DATABASE_URL", "SANDBOX_URL"}
        }
        environment, key = filled(folder, {"slow": slow, "quick": quick}, **kept)
        with served(environment, key, folder) as console:
            yield from _beside(console)


def _beside(console: Served) -> Iterator[Figure]:
    where = {"/healthz": console.url + "/healthz", "a call": console.address("quick", "fine")}
    before = {name: _p95(console, url) for name, url in where.items()}
    for crowded, request in {"hanging runs": _run(console), "silent forms": _FORM}.items():
        with crowd(console.url, request, MANY):
            time.sleep(1)
            for name, url in where.items():
                yield Figure(
                    name=f"p95 of {name} with : without {MANY} {crowded}",
                    value=_p95(console, url) / before[name],
                    unit="ratio",
                    aim=SLOWDOWN,
                )


def _p95(console: Served, url: str) -> float:
    took = []
    with requests.Session() as session:
        for _ in range(ASKED):
            began = time.perf_counter()
            session.get(url, headers=console.headers, timeout=60).raise_for_status()
            took.append(time.perf_counter() - began)
    return statistics.quantiles(took, n=20)[-1]


def _run(console: Served) -> bytes:
    body = b'{"input": {"path": "silence"}}'
    return (
        b"POST /api/v1/functions/run_slow/run HTTP/1.1\r\nHost: localhost\r\n"
        b"Authorization: Bearer %b\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (console.key.encode(), len(body), body)
    )


_FORM = b"POST /accounts/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
