"""Measure every page with several populations, and the floor, alternating."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing.context import SpawnContext

from tests.bench import console, floor, server
from tests.bench.figures import Figure, Page, figures_of, print_pages

#: Rounds before the next process takes its turn.
ROUNDS_A_TURN = 10


def measured(
    database: str,
    urls: Mapping[int, str],
    floor_url: str,
    environment: Callable[[str], dict[str, str]],
    rounds: int,
    context: SpawnContext,
) -> Iterator[Figure]:
    """Visit every page of the console with each population, and yield the figures.

    ``urls`` are empty databases by their number of connections. The processes alternate, so that
    other load on the machine affects all of them.
    """
    with ExitStack() as stack:
        consoles = {}
        for population, url in urls.items():
            # A separate process, so that its garbage does not slow the measured one.
            with ProcessPoolExecutor(1, context) as builder:
                user = builder.submit(console.build, environment(url), population).result()
            process = ProcessPoolExecutor(1, context, console.start, (environment(url), user))
            consoles[population] = stack.enter_context(process)
        plain = stack.enter_context(ProcessPoolExecutor(1, context, floor.start, (floor_url,)))
        lengths = consoles[min(urls)].submit(console.lengths).result()
        loops = []
        for _ in range(0, rounds, ROUNDS_A_TURN):
            turn = min(rounds, ROUNDS_A_TURN)
            for process in consoles.values():
                loops.append(process.submit(console.measure, turn).result())
            plain.submit(floor.measure, lengths, turn).result()
        floors = plain.submit(floor.samples).result()
        pages = {}
        for population, process in consoles.items():
            samples = process.submit(console.samples).result()
            counts = process.submit(console.query_counts).result()
            pages[population] = {
                name: Page(visits=samples[name], queries=counts[name], floor=floors.get(name, ()))
                for name in samples
            }
        cookie = consoles[max(urls)].submit(console.session_cookie).result()
    print_pages(database, pages)
    yield Figure(
        name=f"{database}: noise, slowest : fastest of equal loops",
        value=max(loops) / min(loops),
        unit="ratio",
    )
    yield from figures_of(database, pages)
    yield from server.served(database, environment(urls[max(urls)]), cookie)
