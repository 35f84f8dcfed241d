"""Measure what it takes to look at 500 connections again when their second is over.

Counts queries and processor time of this process, not elapsed time. Compared with looking at each
connection by a query of its own.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from typing import Any

from tests.bench import calls
from tests.bench.figures import Figure

CONNECTIONS, ROUNDS = 500, 10
#: One query for the key, and one or two for all connections.
QUERIES = 3
NAMES = [f"item_{number}" for number in range(CONNECTIONS)]


def measured(
    database: str, url: str, variables: Mapping[str, str], context: SpawnContext
) -> Iterator[Figure]:
    """Measure; ``url`` is the URL of an empty database."""
    environment = {**variables, "DATABASE_URL": url}
    with ProcessPoolExecutor(1, context) as process:
        key = process.submit(calls.fill, environment, {NAMES[0]: "sandbox_api_key"}).result()
        process.submit(multiply).result()
        together, alone = process.submit(look, key).result()
    name = f"{database}: {CONNECTIONS} connections after a second"
    yield Figure(name=f"{name}: selects", value=together[0], unit="", aim=QUERIES)
    yield Figure(name=f"{name}: one by one: selects", value=alone[0], unit="")
    yield Figure(name=f"{name}: processor time of a call", value=together[1], unit="µs")
    yield Figure(name=f"{name}: one by one: processor time", value=alone[1], unit="µs")


def multiply() -> None:
    """Create the other connections like the first one, each with a credential of its own."""
    from connections.models import Authorization, Connection, Credential

    for name in NAMES[1:]:
        authorization = Authorization.objects.select_related("connection", "credential").get(
            connection__link_name=NAMES[0]
        )
        connection, credential = authorization.connection, authorization.credential
        connection.pk, connection.link_name, connection.name = uuid.uuid4(), name, name
        credential.pk = authorization.pk = uuid.uuid4()
        Connection.objects.bulk_create([connection])
        Credential.objects.bulk_create([credential])
        authorization.connection, authorization.credential = connection, credential
        Authorization.objects.bulk_create([authorization])


def look(key: str) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the queries of a round and the microseconds of a connection: together, one by one."""
    from django.db import connection
    from django.db.backends.signals import connection_created

    from connections.calls import prepared_call
    from connections.calls.lookup import Caller
    from console.choices import Environment
    from console.keys import authentication
    from console.runtime.proxy_call import CallThreads
    from console.worker_threads import WorkerThreads

    count = 0

    def counted(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    def count_queries(connection: Any, **_: Any) -> None:
        connection.execute_wrappers.append(counted)

    connection_created.connect(count_queries)
    connection.close()
    reads = WorkerThreads("reads", 4)
    threads = CallThreads(reads, WorkerThreads("renewals", 4))

    async def rounds() -> tuple[tuple[float, float], tuple[float, float]]:
        holder = await threads.holder(key)
        caller = Caller(
            application=holder.application_id,
            organization=holder.organization_id,
            environment=Environment(holder.environment),
        )

        async def together(name: str) -> None:
            await threads.holder(key)
            await threads.preparation.call(caller, name)

        async def alone(name: str) -> None:
            await threads.holder(key)
            await reads.run(prepared_call.read_call, (caller, name))

        async def all_of_them(way: Callable[[str], Any]) -> tuple[float, float]:
            nonlocal count
            await asyncio.gather(*map(way, NAMES))
            before, began = count, time.process_time()
            for _ in range(ROUNDS):
                prepared_call._prepared.expire()
                authentication._holders.expire()
                await asyncio.gather(*map(way, NAMES))
            took = time.process_time() - began
            return (count - before) / ROUNDS, took * 1e6 / ROUNDS / CONNECTIONS

        return await all_of_them(together), await all_of_them(alone)

    return asyncio.run(rounds())
