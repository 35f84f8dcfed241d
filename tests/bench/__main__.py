"""Measure, print a table, and keep it in ``var/bench.json``.

The populations are measured by turns, a few rounds each, so that whatever else the
machine does is shared among them.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from cryptography.fernet import Fernet

from tests.bench import (
    console,
    crowded,
    input_size,
    load,
    million_rows,
    proxy_calls,
    publish_and_transfer,
    server,
    token_refresh,
)
from tests.bench.databases import KINDS, databases
from tests.bench.figures import Figure, Page, figures_of, print_figures, print_pages, save
from tests.servers import ROOT

POPULATIONS = (10, 25, 10_000)
ROUNDS_A_TURN = 10
SPAWN = multiprocessing.get_context("spawn")
FILE = ROOT / "var" / "bench.json"


def main() -> None:
    """Run everything once."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="visits of each page")
    parser.add_argument("--database", choices=KINDS, action="append", help="default: all")
    options = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="console-bench-") as name:
        folder = Path(name)
        for database in options.database or KINDS:
            figures += measure(database, options.rounds, folder)
        rest = [
            *server.first_pages(folder / "demo"),
            *server.starting(environment(folder, "sqlite://:memory:")),
            *input_size.measured(environment(folder, "sqlite://:memory:"), SPAWN),
            *crowded.measured(environment(folder, ""), folder / "crowd"),
        ]
    print()
    print_figures(rest)
    figures += rest
    missed = [figure for figure in figures if figure.met is False]
    print(f"\n{len(missed)} of {sum(f.aim is not None for f in figures)} aims are not met.")
    print_figures(missed)
    save(figures, FILE)


def measure(database: str, rounds: int, folder: Path) -> list[Figure]:
    """Measure every page on one kind of database, and the list through a real server."""
    with ExitStack() as stack:
        names = [
            *(f"connections-{population}" for population in POPULATIONS),
            "shipping",
            "calls",
            "few",
            "many",
            "storm",
        ]
        urls = stack.enter_context(databases(database, names, folder))
        *urls, empty, calls, few, many, storm = urls
        variables = environment(folder, empty)
        with ProcessPoolExecutor(1, SPAWN) as builder:
            builder.submit(console.prepare, variables).result()
        ships = list(publish_and_transfer.shipped(database, variables, SPAWN))
        if load.is_possible():
            variables = environment(folder, calls)
            place = folder / f"{database}-calls"
            called = list(proxy_calls.measured(database, calls, variables, place, SPAWN))
            place = folder / f"{database}-multitude"
            called += million_rows.measured(database, (few, many), variables, place, SPAWN)
        else:
            print("Calls are not measured: nginx and wrk are not here (python tests/setup.py).")
            called = []
        renewed = []
        if database != "sqlite":  # where processes write by turns
            variables = environment(folder, storm)
            renewed = list(
                token_refresh.measured(database, storm, variables, folder / "sandbox", SPAWN)
            )
        consoles = {}
        for population, url in zip(POPULATIONS, urls, strict=True):
            variables = environment(folder, url)
            with ProcessPoolExecutor(1, SPAWN) as builder:  # its garbage must not weigh on us
                user = builder.submit(console.build, variables, population).result()
            process = ProcessPoolExecutor(1, SPAWN, console.start, (variables, user))
            consoles[population] = stack.enter_context(process)
        loops = list(_by_turns(consoles, rounds))
        pages = {}
        for population, process in consoles.items():
            samples = process.submit(console.samples).result()
            counts = process.submit(console.query_counts).result()
            pages[population] = {
                name: Page(visits=samples[name], queries=counts[name]) for name in samples
            }
        cookie = consoles[max(POPULATIONS)].submit(console.session_cookie).result()
        noise = Figure(
            name=f"{database}: noise, the slowest of equal loops : the fastest",
            value=max(loops) / min(loops),
            unit="ratio",
        )
        served = [noise, *server.served(database, environment(folder, urls[-1]), cookie)]
    print_pages(database, pages)
    print_figures([*served, *ships, *called, *renewed])
    return [*figures_of(database, pages), *served, *ships, *called, *renewed]


def _by_turns(consoles: dict[int, ProcessPoolExecutor], rounds: int) -> Iterator[float]:
    for _ in range(0, rounds, ROUNDS_A_TURN):
        for process in consoles.values():
            yield process.submit(console.measure, min(rounds, ROUNDS_A_TURN)).result()


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """Return what the console reads; keys are the same for all processes of a run."""
    return {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "SECRET_KEY": "of the measurements " * 3,
        "CRYPTOGRAPHY_KEYS": _KEY,
        "PUBLIC_URL": "http://localhost",
        "SANDBOX_URL": "http://localhost:9000",
        "DATABASE_URL": database_url,
        "STATIC_ROOT": str(folder / "static"),
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
    }


_KEY = Fernet.generate_key().decode()

if __name__ == "__main__":
    main()
