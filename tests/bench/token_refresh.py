"""How often a service is asked for each access token that ends, by many callers at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.context import SpawnContext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.figures import Figure
from tests.processes import rows
from tests.processes.refresh_storm import storm
from tests.processes.sandbox_grants import register
from tests.servers import sandbox_server


def measured(
    database: str, url: str, variables: Mapping[str, str], folder: Path, context: SpawnContext
) -> Iterator[Figure]:
    """Let 200 threads of 8 processes find 200 tokens ended; ``url`` is an empty database."""
    with sandbox_server(folder) as sandbox:
        register(sandbox)
        environment = {
            **variables,
            "DATABASE_URL": url,
            "SANDBOX_URL": sandbox.url,
            "ALLOWED_PRIVATE_HOSTS": urlsplit(sandbox.url).netloc,
        }
        initializer = rows.begin_steward, (environment,)
        with ProcessPoolExecutor(1, context, *initializer) as steward:
            ask = partial(_ask, steward)
            ask(rows.fill)
            came = storm(environment, ask, sandbox, context)
    name = f"{database}: {came.expiries} expiries, {came.calls:,} callers"
    requests = came.requests / came.expiries
    yield Figure(name=f"{name}: token requests per expiry", value=requests, unit="", aim=1)
    yield Figure(name=f"{name}: refresh tokens reused", value=came.reuse, unit="", aim=0)
    failed = came.failed.total() + came.stale
    yield Figure(name=f"{name}: failed, or given a dead token", value=failed, unit="", aim=0)
    yield Figure(name=f"{name}: all of it", value=came.seconds, unit="s")


def _ask(steward: ProcessPoolExecutor, function: Any, *arguments: Any) -> Any:
    return steward.submit(rows.answered, function, *arguments).result()
