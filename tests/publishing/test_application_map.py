"""The map has a box for each calling component and connection, and a line for each call."""

from __future__ import annotations

import itertools
import uuid

import pytest

from connections.authorizations.connection_state import ConnectionState
from connections.models.display_state import DisplayState
from connections.models.state_badge import AUTHORIZATION_STATES
from console.choices import Environment
from console.publishing.application_map import MAX_BOXES, draw
from tests.publishing.manifests import BOTH, connection, function, manifest, workflow


def states(
    drawn, name: str = "active", environment=Environment.STAGE
) -> dict[str, ConnectionState]:
    return {
        link_name: ConnectionState(
            connection=uuid.uuid4(),
            environment=environment,
            snapshot=known,
            display=DisplayState(name=name),
        )
        for link_name, known in drawn.connections.items()
    }


def test_it_draws_a_line_for_each_call():
    picture = draw(BOTH, [states(BOTH)], {"find": "/components/find/"})
    assert [caller.label for caller in picture.callers] == ["Find", "Order"]
    assert {(c.label, c.url) for c in picture.callers} == {
        ("Find", "/components/find/"),
        ("Order", ""),
    }
    assert len(picture.lines) == 2
    assert picture.without_calls == 0


def test_calls_through_a_function_are_indirect():
    drawn = manifest(*BOTH.components.values(), *BOTH.connections.values(), workflow("m", "find"))
    picture = draw(drawn, [states(drawn)], {})
    assert sorted(line.is_indirect for line in picture.lines) == [False, False, True]


def test_components_without_calls_are_counted_but_not_drawn():
    drawn = manifest(*BOTH.components.values(), *BOTH.connections.values(), function("quiet"))
    picture = draw(drawn, [states(drawn)], {})
    assert picture.without_calls == 1
    assert len(picture.callers) == 2


@pytest.mark.parametrize("name", sorted(AUTHORIZATION_STATES.keys() - {"active", "expiring"}))
def test_connections_that_do_not_work_in_stage_block(name):
    picture = draw(BOTH, [states(BOTH, name)], {})
    assert len(picture.blocking) == 2
    assert all(line.blocked for line in picture.lines)


def test_connections_that_do_not_work_in_development_do_not_block():
    development = states(BOTH, "needs_authorization", Environment.DEVELOPMENT)
    picture = draw(BOTH, [development, states(BOTH)], {})
    assert picture.blocking == ()
    lines = [(row.sign, row.words) for row in picture.targets[0].rows]
    assert lines == [("✕", "Development: not authorized"), ("✓", "Stage: authorized")]


def test_in_a_large_application_equal_callers_share_a_box():
    drawn = manifest(
        *BOTH.connections.values(), *(function(f"f{n}", "people") for n in range(1000))
    )
    picture = draw(drawn, [states(drawn)], {})
    assert [caller.label for caller in picture.callers] == ["1000 functions"]
    assert picture.callers[0].url == ""


def test_the_number_of_boxes_is_limited():
    drawn = manifest(
        *(connection(f"c{n}") for n in range(100)),
        *(function(f"f{n}", f"c{n}") for n in range(100)),
    )
    picture = draw(drawn, [states(drawn)], {})
    assert len(picture.callers) == len(picture.targets) == MAX_BOXES
    assert picture.omitted == 120


def test_every_connection_that_does_not_work_is_counted_also_if_it_is_not_drawn():
    drawn = manifest(*(connection(f"c{n:03}") for n in range(300)), function("f", "c000"))
    known = states(drawn, "revoked") | {"c299": states(drawn, "needs_authorization")["c299"]}
    picture = draw(drawn, [known], {})
    assert len(picture.blocking) == 300
    assert [target.link_name for target in picture.named[:2]] == ["c299", "c000"]
    assert picture.unnamed == 295


def test_boxes_do_not_overlap():
    drawn = manifest(
        *(connection(f"c{n}") for n in range(3)),
        *(function(f"f{n}", f"c{n % 3}") for n in range(14)),
    )
    picture = draw(drawn, [states(drawn)], {})
    for boxes in (picture.callers, picture.targets):
        tops = sorted(box.y for box in boxes)
        gaps = [b - a for a, b in itertools.pairwise(tops)]
        assert all(gap >= boxes[0].height for gap in gaps)
        assert tops[-1] + boxes[0].height <= picture.height
