"""Measured figures and their aims."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

#: A page may take at most this many times as long as the floor, a stock Django page.
FLOORS = 3
QUERIES = 12
GROWTH = 1.5
FIRST_PAGE_KB = 150


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number. ``aim`` is its maximum; without an aim, ``met`` is null."""

    name: str
    value: float
    unit: str
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.value <= self.aim


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page with one population: elapsed time and CPU time of each visit, in milliseconds."""

    visits: Sequence[tuple[float, float]]
    queries: int
    #: Visits of a stock Django page of the same length; none for steps that only redirect.
    floor: Sequence[tuple[float, float]] = ()

    @property
    def median(self) -> float:
        return statistics.median(clock for clock, _ in self.visits)

    @property
    def p99(self) -> float:
        clocks = [clock for clock, _ in self.visits]
        return statistics.quantiles(clocks, n=100, method="inclusive")[98]

    @property
    def floors(self) -> float | None:
        """Return the median as a multiple of the floor's median."""
        if not self.floor:
            return None
        return self.median / statistics.median(clock for clock, _ in self.floor)

    @property
    def cpu_time(self) -> float:
        """Return the median CPU time, without other processes and the database server."""
        return statistics.median(cpu_time for _, cpu_time in self.visits)


#: The pages by name, for each number of connections.
Pages = Mapping[int, Mapping[str, Page]]


def figures_of(database: str, pages: Pages) -> Iterator[Figure]:
    """Compare each page with its aims, and the largest population with the others."""
    for population, measured in pages.items():
        for name, page in measured.items():
            whole = f"{database}, {population:,} connections: {name}"
            yield Figure(name=f"{whole}: median", value=page.median, unit="ms")
            if page.floors is not None:
                stock = statistics.median(clock for clock, _ in page.floor)
                yield Figure(name=f"{whole}: floor, median", value=stock, unit="ms")
                yield Figure(
                    name=f"{whole}: page : floor", value=page.floors, unit="ratio", aim=FLOORS
                )
            yield Figure(name=f"{whole}: p99", value=page.p99, unit="ms")
            yield Figure(name=f"{whole}: CPU time, median", value=page.cpu_time, unit="ms")
            yield Figure(name=f"{whole}: queries", value=page.queries, unit="", aim=QUERIES)
    *smaller, largest = sorted(pages)
    for population in smaller:
        for name, small in pages[population].items():
            large = pages[largest][name]
            whole = f"{database}, {largest:,} : {population:,} connections: {name}"
            yield Figure(
                name=f"{whole}: median",
                value=large.median / small.median,
                unit="ratio",
                aim=GROWTH if name == "list, first page" else None,
            )
            more = large.queries - small.queries
            yield Figure(name=f"{whole}: more queries", value=more, unit="", aim=0)


def print_pages(database: str, pages: Pages) -> None:
    """Print a line for each page: median, p99, CPU time (ms), multiple of the floor, queries."""
    smallest, largest = min(pages), max(pages)
    heads = "".join(
        f"{population:>10,} {'p99':>7} {'CPU':>6} {'floor':>5} {'q':>3}" for population in pages
    )
    print(f"\n{database + ', ms':34}{heads}{'ratio':>8}")
    for name in pages[smallest]:
        cells = "".join(
            f"{page.median:10.1f} {page.p99:7.1f} {page.cpu_time:6.1f} "
            f"{'' if page.floors is None else f'{page.floors:.1f}x':>5} {page.queries:3}"
            for page in (pages[population][name] for population in pages)
        )
        ratio = pages[largest][name].median / pages[smallest][name].median
        print(f"{name:34}{cells}{ratio:8.2f}")


def print_figures(figures: Sequence[Figure]) -> None:
    """Print a line for each figure, with its aim and whether it is met."""
    words = {True: "met", False: "NOT MET", None: ""}
    for figure in figures:
        aim = "" if figure.aim is None else f"at most {figure.aim:g}"
        value = f"{figure.value:10.1f} {figure.unit}"
        print(f"{figure.name:70}{value:24}{aim:14}{words[figure.met]}")


def save(figures: Sequence[Figure], file: Path) -> None:
    """Write the figures as JSON: name, value, unit, aim, met."""
    file.parent.mkdir(exist_ok=True)
    rows = [asdict(figure) | {"met": figure.met} for figure in figures]
    file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
