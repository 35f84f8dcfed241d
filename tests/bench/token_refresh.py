"""Count token requests for each expired access token with many concurrent callers."""

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
    """Call with 200 threads in 8 processes while 200 tokens expire; ``url`` is empty."""
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
            result = storm(environment, ask, sandbox, context)
    name = f"{database}: {result.expiries} expiries, {result.calls:,} callers"
    requests = result.requests / result.expiries
    yield Figure(name=f"{name}: token requests per expiry", value=requests, unit="", aim=1)
    yield Figure(name=f"{name}: refresh tokens reused", value=result.reuse, unit="", aim=0)
    failed = result.failed.total() + result.stale
    yield Figure(name=f"{name}: failed, or got an expired token", value=failed, unit="", aim=0)
    yield Figure(name=f"{name}: total time", value=result.seconds, unit="s")


def _ask(steward: ProcessPoolExecutor, function: Any, *arguments: Any) -> Any:
    return steward.submit(rows.answered, function, *arguments).result()
