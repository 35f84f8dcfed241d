"""Kill processes of a console one by one, and check the next use of each credential."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from tests.processes import rows
from tests.processes.conftest import World
from tests.servers import ROOT

LEASE_SECONDS = 1.0


class Mortals:
    """Processes that use a credential and kill themselves at a given point."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.hear()

    def hear(self) -> str:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("The console that forks has ended.")
        return line

    def order(self, **order: Any) -> dict[str, Any]:
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self.hear())


@contextmanager
def mortals(environment: Mapping[str, str]) -> Iterator[Mortals]:
    """Start the parent process that forks them."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.processes.killed_console", str(LEASE_SECONDS)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT), "PATH": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Mortals(process)
        process.stdin.close()


def next_use(world: World, credentials: Sequence[str]) -> dict[str, str]:
    """Use every credential again; return ``whole``, ``marked`` or the problem of each."""
    problems = world.ask(prove_all, credentials)
    snapshot = world.ask(rows.snapshot, credentials)
    return {each: _judged(problems[each], snapshot[each]) for each in credentials}


def _judged(problem: str, row: rows.Row) -> str:
    if row.lease_owner:
        return f"stuck in refreshing: {row}"
    if not problem:
        return "whole" if row.state == "active" else f"works, but is said not to: {row}"
    if problem.startswith("NeedsAuthorization") and row.state == "unknown_outcome":
        return "marked"
    return f"unmarked: {problem}, {row}"


def prove_all(credentials: Sequence[str]) -> dict[str, str]:
    """Test authorizations with a real call; return the problem of each."""
    with ThreadPoolExecutor(8) as threads:
        return dict(zip(credentials, threads.map(_proved, credentials), strict=True))


def _proved(credential: str) -> str:
    from console.database import release_connection
    from tests.processes.killed_console import use

    try:
        use(credential, check=True)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        release_connection()
    return ""


def tally(outcomes: Mapping[str, str]) -> Counter[str]:
    """Count the outcomes."""
    return Counter(outcomes.values())
