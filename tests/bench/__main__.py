"""Run all benchmarks, print a table and save it in ``var/bench.json``.

If a part fails, the others still run, and all figures so far are printed and saved.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from cryptography.fernet import Fernet

from tests.bench import (
    console,
    crowded,
    input_size,
    load,
    many_connections,
    million_rows,
    nginx_calls,
    pages,
    presses,
    proxy_calls,
    publish_and_transfer,
    server,
    token_refresh,
    waiting_calls,
)
from tests.bench.databases import KINDS, databases
from tests.bench.figures import Figure, print_figures, save
from tests.servers import ROOT
from tests.setup import nginx_with_lua_is_there

POPULATIONS = (10, 25, 10_000)
SPAWN = multiprocessing.get_context("spawn")
FILE = ROOT / "var" / "bench.json"
_KEY = Fernet.generate_key().decode()


class Report:
    """The figures of one run, saved after each part."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.figures: list[Figure] = []
        self.failed: list[str] = []

    def part(self, name: str, measure: Callable[[], Iterable[Figure]]) -> None:
        """Measure one part; keep its figures even if it fails."""
        print(f"\n== {name}", flush=True)
        figures: list[Figure] = []
        try:
            for figure in measure():
                figures.append(figure)
        except Exception:
            traceback.print_exc()
            print(f"FAILED: {name}", flush=True)
            self.failed.append(name)
        print_figures([figure for figure in figures if ": queries" not in figure.name])
        self.figures += figures
        save(self.figures, self.file)

    def close(self) -> int:
        """Print the missed aims and the failed parts; return the exit code."""
        missed = [figure for figure in self.figures if figure.met is False]
        aims = sum(figure.aim is not None for figure in self.figures)
        print(f"\n{len(missed)} of {aims} aims are not met.")
        print_figures(missed)
        for name in self.failed:
            print(f"FAILED: {name}")
        return 1 if self.failed else 0


def main() -> int:
    """Run all selected parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=100, help="visits of each page")
    parser.add_argument("--database", choices=KINDS, action="append", help="default: all")
    parser.add_argument("--part", action="append", help="only parts with this in their names")
    options = parser.parse_args()
    report = Report(FILE)
    with tempfile.TemporaryDirectory(prefix="console-bench-") as name:
        folder = Path(name)
        for database in options.database or KINDS:
            for part, measure in _database_parts(database, options.rounds, folder).items():
                _measure_if_wanted(report, options.part, part, measure)
        for part, measure in _other_parts(folder).items():
            _measure_if_wanted(report, options.part, part, measure)
    return report.close()


def _measure_if_wanted(
    report: Report, wanted: list[str] | None, name: str, measure: Callable[[], Iterable[Figure]]
) -> None:
    if wanted is None or any(text in name for text in wanted):
        report.part(name, measure)


Parts = dict[str, Callable[[], Iterable[Figure]]]


def _database_parts(database: str, rounds: int, folder: Path) -> Parts:
    """Return the parts that need a database; each gets empty ones."""
    of = partial(environment, folder)

    def all_pages() -> Iterable[Figure]:
        names = [f"connections-{population}" for population in POPULATIONS]
        with databases(database, [*names, "floor"], folder) as (*urls, stock):
            _prepare(of(urls[0]))
            populations = dict(zip(POPULATIONS, urls, strict=True))
            yield from pages.measured(database, populations, stock, of, rounds, SPAWN)

    def transfer() -> Iterable[Figure]:
        with databases(database, ["transfer", "floor"], folder) as (url, stock):
            _prepare(of(url))
            yield from publish_and_transfer.measured(database, of(url), stock, SPAWN)

    def calls() -> Iterable[Figure]:
        with databases(database, ["calls"], folder) as (url,):
            _prepare(of(url))
            place = folder / f"{database}-calls"
            yield from proxy_calls.measured(database, url, of(url), place, SPAWN)

    def many() -> Iterable[Figure]:
        with databases(database, ["connections"], folder) as (url,):
            yield from many_connections.measured(database, url, of(url), SPAWN)

    def nginx() -> Iterable[Figure]:
        with databases(database, ["nginx"], folder) as (url,):
            _prepare(of(url))
            place = folder / f"{database}-nginx"
            yield from nginx_calls.measured(database, url, of(url), place, SPAWN)

    def million() -> Iterable[Figure]:
        with databases(database, ["few", "many"], folder) as (few, many):
            _prepare(of(few))
            place = folder / f"{database}-million"
            yield from million_rows.measured(database, (few, many), of(few), place, SPAWN)

    def refreshes() -> Iterable[Figure]:
        with databases(database, ["storm"], folder) as (url,):
            _prepare(of(url))
            place = folder / "sandbox"
            yield from token_refresh.measured(database, url, of(url), place, SPAWN)

    parts: Parts = {"pages": all_pages, "publish and transfer": transfer, "many connections": many}
    if load.is_possible():
        parts |= {"calls": calls, "a million rows": million}
    else:
        print("Calls are not measured: nginx and wrk are not installed (python tests/setup.py).")
    if load.is_possible() and nginx_with_lua_is_there():
        parts["nginx path"] = nginx
    if database != "sqlite":  # SQLite lets one process write at a time
        parts["refreshes"] = refreshes
    return {f"{database}: {name}": measure for name, measure in parts.items()}


def _other_parts(folder: Path) -> Parts:
    memory = environment(folder, "sqlite://:memory:")
    return {
        "presses": lambda: presses.measured(folder / "presses"),
        "first pages": lambda: server.first_pages(folder / "demo"),
        "start": lambda: server.starting(memory),
        "input by its size": lambda: input_size.measured(memory, SPAWN),
        "calls that wait": lambda: waiting_calls.measured(
            environment(folder, ""), folder / "waiting"
        ),
        "hanging clients": lambda: crowded.measured(environment(folder, ""), folder / "crowd"),
    }


def _prepare(variables: dict[str, str]) -> None:
    with ProcessPoolExecutor(1, SPAWN) as builder:
        builder.submit(console.prepare, variables).result()


def environment(folder: Path, database_url: str) -> dict[str, str]:
    """Return the console's environment variables; all processes of a run share the keys."""
    return {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "SECRET_KEY": "benchmark " * 6,
        "CRYPTOGRAPHY_KEYS": _KEY,
        "PUBLIC_URL": "http://localhost",
        "SANDBOX_URL": "http://localhost:9000",
        "DATABASE_URL": database_url,
        "STATIC_ROOT": str(folder / "static"),
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
    }


if __name__ == "__main__":
    sys.exit(main())
