"""What was measured, and what it is held against."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

#: How often the floor, a stock Django page of the same length, a page may take at most.
FLOORS = 3
QUERIES = 12
GROWTH = 1.5
FIRST_PAGE_KB = 150


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One number; ``aim`` is the most that it may be, ``met`` is null where there is none."""

    name: str
    value: float
    unit: str
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        return None if self.aim is None else self.value <= self.aim


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page on one population: each visit's milliseconds, by the clock and computing."""

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
        """Return the median as a multiple of the floor's."""
        if not self.floor:
            return None
        return self.median / statistics.median(clock for clock, _ in self.floor)

    @property
    def computing(self) -> float:
        """Return the median without the time that others had the processor, or the database."""
        return statistics.median(computing for _, computing in self.visits)


#: The pages by name, for each number of connections.
Pages = Mapping[int, Mapping[str, Page]]


def figures_of(database: str, pages: Pages) -> Iterator[Figure]:
    """Hold each page against the aims, and the largest population against the others."""
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
            yield Figure(name=f"{whole}: computing, median", value=page.computing, unit="ms")
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
    """Print one line a page: median, p99, own computing (ms), multiple of the floor, queries."""
    smallest, largest = min(pages), max(pages)
    heads = "".join(
        f"{population:>10,} {'p99':>7} {'own':>6} {'floor':>5} {'q':>3}" for population in pages
    )
    print(f"\n{database + ', ms':34}{heads}{'ratio':>8}")
    for name in pages[smallest]:
        cells = "".join(
            f"{page.median:10.1f} {page.p99:7.1f} {page.computing:6.1f} "
            f"{'' if page.floors is None else f'{page.floors:.1f}x':>5} {page.queries:3}"
            for page in (pages[population][name] for population in pages)
        )
        ratio = pages[largest][name].median / pages[smallest][name].median
        print(f"{name:34}{cells}{ratio:8.2f}")


def print_figures(figures: Sequence[Figure]) -> None:
    """Print one line a figure, with its aim and whether it is met."""
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
