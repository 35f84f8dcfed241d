"""The map has a box for each calling component and connection, and a line for each call."""

from __future__ import annotations

import itertools
import uuid

import pytest
from django.http import QueryDict

from connections.authorizations.connection_state import ConnectionState
from connections.models.display_state import DisplayState
from connections.models.state_badge import AUTHORIZATION_STATES
from console.choices import Environment
from console.publishing.application_map import MAX_BOXES, draw
from console.publishing.map_choices import MapChoices
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
    assert picture.callers[0].key == "connection:f0"


def large():
    return manifest(
        *(connection(f"c{n}") for n in range(100)),
        *(function(f"f{n}", f"c{n}") for n in range(100)),
        *(workflow(f"w{n}", f"f{n}") for n in range(3)),
    )


def test_many_components_are_grouped_by_kind_and_many_connections_by_service():
    picture = draw(large(), [states(large())], {})
    assert [caller.label for caller in picture.callers] == ["3 workflows", "100 functions"]
    assert len(picture.targets) == 1
    assert picture.targets[0].label.endswith(": 100 connections")
    assert [row.words for row in picture.targets[0].rows] == ["Stage: 100 of 100 work"]
    assert len(picture.lines) == 2
    assert picture.omitted == 0


def test_a_group_can_be_opened_and_closed():
    closed = draw(large(), [states(large())], {})
    workflows = next(each for each in closed.callers if each.key == "kind:workflow")
    choices = MapChoices.from_query(QueryDict(workflows.opens))
    picture = draw(large(), [states(large())], {}, choices)
    assert [c.label for c in picture.callers if not c.key] == ["W0", "W1", "W2"]
    assert [(tag.value, tag.query) for tag in picture.tags] == [("Workflows", "")]


def test_the_number_of_boxes_is_limited():
    picture = draw(large(), [states(large())], {}, MapChoices(by="none"))
    assert len(picture.callers) == len(picture.targets) == MAX_BOXES
    assert picture.omitted == 123


def test_it_finds_a_component_with_what_it_calls():
    picture = draw(large(), [states(large())], {}, MapChoices(find="F77"))
    assert [(c.label, c.is_found) for c in picture.callers] == [("F77", True)]
    assert [(t.label, t.is_found) for t in picture.targets] == [("C77", False)]


def test_it_finds_a_connection_with_those_that_call_it():
    picture = draw(large(), [states(large())], {}, MapChoices(find="c2"))
    found = [t for t in picture.targets if t.is_found]
    assert "C2" in {name for t in found for name in [t.label]} or found[0].key
    assert {"F2", "W2"} <= {title for c in picture.callers for title in c.titles}


def test_nothing_found_is_an_empty_map():
    assert draw(large(), [states(large())], {}, MapChoices(find="nothing")).is_empty


@pytest.mark.parametrize(
    "query", ["by=%00", "zoom=1e9", "zoom=fit&view=x", "open=kind:none", "open=" * 50, "find=%00"]
)
def test_values_that_are_not_valid_are_ignored(query):
    choices = MapChoices.from_query(QueryDict(query))
    picture = draw(BOTH, [states(BOTH)], {}, choices)
    assert len(picture.callers) == 2
    assert picture.tags == ()


def test_the_zoom_is_the_width_of_the_picture():
    wide = draw(BOTH, [states(BOTH)], {}, MapChoices(zoom="200"))
    assert wide.shown_width == str(2 * wide.width)
    assert draw(BOTH, [states(BOTH)], {}, MapChoices(zoom="fit")).shown_width == "100%"


def test_every_connection_that_does_not_work_is_counted_also_if_it_is_not_drawn():
    drawn = manifest(*(connection(f"c{n:03}") for n in range(300)), function("f", "c000"))
    known = states(drawn, "revoked") | {"c299": states(drawn, "needs_authorization")["c299"]}
    picture = draw(drawn, [known], {})
    assert len(picture.blocking) == 300
    assert [target.names[0] for target in picture.named[:2]] == ["c299", "c000"]
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
