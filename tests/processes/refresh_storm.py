"""Many threads in many processes that need the same expired access tokens at once."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from multiprocessing.context import SpawnContext
from typing import Any

import requests

from tests.processes import rows
from tests.processes.sandbox_grants import grants
from tests.servers import SandboxServer

#: The number of credentials that each thread uses after every expiry.
VISITS = 4
Visit = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True)
class Storm:
    """The result; ``requests`` and ``reuse`` are counted by the service.

    ``stale`` counts the callers that got a token other than the valid one.
    """

    expiries: int
    calls: int
    requests: int
    reuse: int
    failed: Counter[str]
    stale: int
    seconds: float

    @property
    def unanswered(self) -> bool:
        """Tell whether the service was too slow for a caller."""
        return any("did not answer" in problem for problem in self.failed)


def storm(
    environment: Mapping[str, str],
    ask: Callable[..., Any],
    sandbox: SandboxServer,
    context: SpawnContext,
    *,
    processes: int = 8,
    threads: int = 25,
    authorizations: int = 20,
    expiries: int = 200,
) -> Storm:
    """Expire tokens ``expiries`` times in total; after each, every thread requests some.

    ``ask`` calls a function of ``rows.py`` in the process that has the rows.
    """
    credentials = ask(rows.connect, grants(sandbox, authorizations), f"storm_{time.monotonic_ns()}")
    failed: Counter[str] = Counter()
    calls = stale = 0
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                ProcessPoolExecutor(1, context, rows.begin_patiently, (environment,))
            )
            for _ in range(processes)
        ]
        for each in [worker.submit(visit, [[]]) for worker in workers]:
            each.result()  # has started
        sandbox.reset()
        began = time.monotonic()
        for _ in range(expiries // authorizations):
            ask(rows.expire, credentials)
            turns = [worker.submit(visit, _plan(credentials, threads)) for worker in workers]
            visits = list(chain.from_iterable(turn.result() for turn in turns))
            living = ask(rows.snapshot, credentials)
            calls += len(visits)
            failed.update(problem for _, _, problem in visits if problem)
            stale += sum(
                token != living[credential].access_token
                for credential, token, problem in visits
                if not problem
            )
        seconds = time.monotonic() - began
    counts = sandbox.counts()
    for row in living.values():
        answer = requests.get(
            f"{sandbox.url}/api/me",
            headers={"Authorization": f"Bearer {row.access_token}"},
            timeout=30,
        )
        stale += answer.status_code != 200
    return Storm(
        expiries=expiries,
        calls=calls,
        requests=counts["token"],
        reuse=counts["reuse"],
        failed=failed,
        stale=stale,
        seconds=seconds,
    )


def _plan(credentials: Sequence[str], threads: int) -> list[list[str]]:
    return [random.sample(credentials, min(VISITS, len(credentials))) for _ in range(threads)]


def visit(plan: Sequence[Sequence[str]]) -> list[Visit]:
    """Get access tokens, each list in a thread; return credential, token and problem."""
    with ThreadPoolExecutor(len(plan)) as threads:
        return list(chain.from_iterable(threads.map(_visit, plan)))


def _visit(credentials: Sequence[str]) -> list[Visit]:
    from connections.credentials.refreshing import fresh_secret
    from connections.models import Credential
    from console.database import release_connection

    done = []
    for credential in credentials:
        token = problem = ""
        try:
            row = Credential.objects.select_related("client").get(pk=credential)
            token = fresh_secret(row)["access_token"]
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        finally:
            release_connection()
        done.append((credential, token, problem))
    return done
