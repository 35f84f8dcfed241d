"""Compare calls in a database of a million authorizations with calls in a small one.

The two databases differ only in their number of rows, and two consoles alternate. The calls use
many connections, so that the caches of each have to be filled and checked again and again.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing.context import SpawnContext
from pathlib import Path

from tests.bench import calls, console
from tests.bench.figures import GROWTH, Figure
from tests.bench.load import THREADS, granian, load, upstream

CALLED, FEW, MANY = 500, 1_000, 1_000_000
ROUNDS = 6
LOOKS = 200
SLOWDOWN = 1.1
#: Columns that a copy does not share. The secret is copied, so it cannot be decrypted.
_OWN = ("id", "connection_id", "credential_id")


def measured(
    database: str,
    urls: tuple[str, str],
    variables: Mapping[str, str],
    folder: Path,
    context: SpawnContext,
) -> Iterator[Figure]:
    """Measure calls on two empty databases; the second is filled with many rows."""
    folder.mkdir()
    with ExitStack() as stack:
        service = stack.enter_context(upstream(folder))
        where, looks = [], []
        for url, population in zip(urls, (FEW, MANY), strict=True):
            environment = {
                **variables,
                "DATABASE_URL": url,
                "SANDBOX_URL": service,
                "ALLOWED_PRIVATE_HOSTS": service.removeprefix("http://"),
            }
            with ProcessPoolExecutor(1, context) as process:
                key = process.submit(fill, environment, population).result()
                looks.append(process.submit(look).result())
            served = granian("console.asgi:application", environment, folder, THREADS)
            address, _ = stack.enter_context(served)
            where.append((f"{address}/api/v1/connections/item_%d/proxy/item", key))
        for address, key in where:
            load(address, key, seconds=3, among=CALLED)
        rates = [[load(*each, among=CALLED).rate for each in where] for _ in range(ROUNDS)]
    for population, each in zip((FEW, MANY), zip(*rates, strict=True), strict=True):
        yield Figure(
            name=f"{database}: calls through {CALLED} connections, {population:,} authorizations",
            value=statistics.median(each),
            unit="requests/s",
        )
    yield Figure(name=f"{database}: readiness, {MANY:,} authorizations", value=looks[1], unit="ms")
    yield Figure(
        name=f"{database}: readiness, {MANY:,} : {FEW:,} authorizations",
        value=looks[1] / looks[0],
        unit="ratio",
        aim=GROWTH,
    )
    yield Figure(
        name=f"{database}: calls, {FEW:,} : {MANY:,} authorizations",
        value=statistics.median(few / many for few, many in rates),
        unit="ratio",
        aim=SLOWDOWN,
    )


def look() -> float:
    """Return the median time of ``/readyz`` without a cache, in milliseconds."""
    from console.monitoring.readiness import faults

    times = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        assert not faults()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def fill(environment: dict[str, str], population: int) -> str:
    """Create the called connections and ``population`` authorizations; return an API key."""
    console.prepare(environment)
    key = calls.fill(environment, {f"item_{n}": "sandbox_api_key" for n in range(CALLED)})
    _multiply(population // CALLED - 1)
    return key


def _multiply(copies: int) -> None:
    """Copy each connection with its authorization and credential, in SQL."""
    from django.db import connection, transaction

    from connections.models import Authorization, Connection, Credential

    with transaction.atomic(), connection.cursor() as cursor:
        for model in (Connection, Credential, Authorization):
            columns = [field.column for field in model._meta.concrete_fields]
            values = ", ".join(_copied(column, connection.vendor) for column in columns)
            table = model._meta.db_table
            cursor.execute(
                "WITH RECURSIVE copy(n) AS "
                "(SELECT 1 UNION ALL SELECT n + 1 FROM copy WHERE n < %s) "
                f"INSERT INTO {table} ({', '.join(columns)}) "
                f"SELECT {values} FROM {table}, copy",
                [copies],
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copied(column: str, vendor: str) -> str:
    if column in {"name", "link_name"}:
        return f"{column} || '_' || n"
    if column not in _OWN:
        return column
    if vendor == "sqlite":
        return f"substr({column}, 1, 22) || printf('%010x', n)"
    digits = f"replace({column}::text, '-', '')"
    return f"(substr({digits}, 1, 22) || lpad(to_hex(n), 10, '0'))::uuid"
