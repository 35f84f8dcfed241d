"""Where values stand in a text, found in one reading."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.components.json_source import faults_at, place_of, walk

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


@given(value=values, indent=st.sampled_from([None, 0, 2]), escaped=st.booleans())
def test_every_value_stands_where_it_is_found(value, indent, escaped):
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    lines = text.split("\n")
    for path, part in walk(value):
        line, column = place_of(text, path)
        index = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        found, _ = json.JSONDecoder().raw_decode(text, index)
        assert found == part


@pytest.mark.parametrize("path", [("a", "x"), ("a", 9), ("a", 1, "deep", 2)])
def test_a_path_that_leads_nowhere_ends_at_the_last_value_on_its_way(path):
    assert place_of('{"b": 0,\n "a": [1, 2]}', path)[0] == 2


def test_faults_come_in_the_order_of_the_text():
    text = '{"b": 1,\n"a": 2}'
    found = faults_at(text, [(("a",), "second"), (("b",), "first"), ((), "whole")])
    assert [fault.message for fault in found] == ["whole", "first", "second"]


def test_nothing_is_asked_of_an_empty_text():
    assert place_of("", ("a",)) == (1, 1)
