"""`kill -9` during a refresh never loses a grant silently (promise 2).

Three services: one that keeps its refresh token, one that rotates it and answers a repetition
alike, and one that rotates strictly, where nobody can help who dies between the service's
commit and the console's.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator

import pytest

from tests.processes import rows
from tests.processes.conftest import WHOLE, World
from tests.processes.kill_each import mortals, next_use, tally
from tests.processes.killed_console import POINTS
from tests.processes.sandbox_grants import grants, register
from tests.servers import SandboxServer, sandbox_server

KILLS = 100 if WHOLE else 14
#: Between the service's commit and ours, where strict rotation has used up the token.
WINDOW = {"sent", "answered", "journal written"}
SERVICES = ["keeping", "repeating", "strict"]


@pytest.fixture(scope="module", params=SERVICES)
def service(request, strict, tmp_path_factory) -> Iterator[SandboxServer]:
    strict.reset()
    if request.param == "repeating":
        with sandbox_server(
            tmp_path_factory.mktemp("repeating"), SANDBOX_REUSE_SECONDS="600"
        ) as server:
            register(server)
            yield server
        return
    strict.switches(withhold_refresh_token=request.param == "keeping")
    yield strict
    strict.reset()


@pytest.fixture(scope="module")
def console(request, service, strict, world_of) -> World:
    if service is strict:
        return request.getfixturevalue("world")
    return world_of(service)


@pytest.fixture
def kind(request) -> str:
    return request.node.callspec.params["service"]


def test_12_named_points(kind, service, console):
    """Each point once with an expired token, and once with a token that the service refuses."""
    made = console.ask(rows.connect, grants(service, 2 * len(POINTS)), f"named_{kind}")
    console.ask(rows.break_access_tokens, made[len(POINTS) :])
    names = dict(zip(made, [*POINTS, *POINTS], strict=True))
    with mortals(console.environment) as processes:
        for credential, point in names.items():
            died = processes.order(credential=credential, point=point, check=True)
            assert died["killed"], point

    outcomes = next_use(console, made)

    marked = {names[each] for each, outcome in outcomes.items() if outcome == "marked"}
    print(kind, tally(outcomes), marked)
    assert set(outcomes.values()) <= {"whole", "marked"}
    if kind == "strict":
        assert WINDOW - {"sent"} <= marked <= WINDOW
    else:
        assert not marked


def test_kills_at_random(kind, service, console):
    *made, first, second, third = console.ask(
        rows.connect, grants(service, 3 * KILLS + 3), f"random_{kind}"
    )
    killed = []
    with mortals(console.environment) as processes:
        took = [processes.order(credential=each)["milliseconds"] for each in (first, second, third)]
        longest = statistics.median(took) / 1000
        for each in made:
            if processes.order(credential=each, after=random.uniform(0, longest))["killed"]:
                killed.append(each)
            if len(killed) == KILLS:
                break

    outcomes = next_use(console, killed)

    print(kind, f"killed within {longest * 1000:.0f} ms:", tally(outcomes))
    assert len(killed) == KILLS
    assert set(outcomes.values()) <= {"whole", "marked"}
    if kind != "strict":
        assert set(outcomes.values()) == {"whole"}
