"""Measure how the time to parse and compare input grows with its size, without a database."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.context import SpawnContext
from typing import Any

from tests.bench.figures import Figure

ROUNDS = 5
GROWTH = 2.5


def measured(variables: Mapping[str, str], context: SpawnContext) -> Iterator[Figure]:
    """Parse the worst case of each kind in half and full size, alternating."""
    with ProcessPoolExecutor(1, context) as process:
        yield from process.submit(_figures, dict(variables)).result()


def _figures(variables: dict[str, str]) -> list[Figure]:
    os.environ.update(variables)
    import django

    django.setup()
    from console.components.definitions import parse
    from console.publishing.line_diff import line_diff
    from console.transfer.importing import read

    def members(size: int) -> str:
        return "{" + ",".join(f'"k{number}":1' for number in range(size)) + ',"z":1,"z":1}'

    def file(size: int) -> str:
        parts = [{"x": number} for number in range(size)]
        return json.dumps({"format": "developer-console/application", "schema": 1, "x": parts})

    works: dict[str, tuple[Callable[[int], Any], int]] = {
        "a duplicate key among 15,000": (lambda n: lambda: parse("function", members(n)), 15_000),
        "a file of 200,000 unknown values": (lambda n: lambda: read(file(n)), 100_000),
        "a diff of 20,000 lines": (
            lambda n: lambda: line_diff([str(i) for i in range(n)], [str(-i) for i in range(n)]),
            20_000,
        ),
    }
    found = []
    for name, (make, size) in works.items():
        times = [[_seconds(make(n)) for n in (size // 2, size)] for _ in range(ROUNDS)]
        half, whole = (min(each) for each in zip(*times, strict=True))
        found += [
            Figure(name=f"reading: {name}", value=whole * 1000, unit="ms"),
            Figure(
                name=f"reading: {name}, whole : half", value=whole / half, unit="ratio", aim=GROWTH
            ),
        ]
    return found


def _seconds(work: Callable[[], Any]) -> float:
    began = time.thread_time()
    with contextlib.suppress(ValueError):  # refused input was parsed too
        work()
    return time.thread_time() - began
