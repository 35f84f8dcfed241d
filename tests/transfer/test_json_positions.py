"""Find the line and column of values in a JSON text."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.components.json_source import Path, fault_at, faults_at, walk


def position(text: str, path: Path) -> tuple[int, int]:
    fault = fault_at(text, path, "")
    return fault.line, fault.column


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=20,
)


@given(value=values, indent=st.sampled_from([None, 0, 2]), escaped=st.booleans())
def test_it_finds_every_value(value, indent, escaped):
    text = json.dumps(value, indent=indent, ensure_ascii=escaped)
    lines = text.split("\n")
    for path, part in walk(value):
        line, column = position(text, path)
        index = sum(len(each) + 1 for each in lines[: line - 1]) + column - 1
        found, _ = json.JSONDecoder().raw_decode(text, index)
        assert found == part


@pytest.mark.parametrize("path", [("a", "x"), ("a", 9), ("a", 1, "deep", 2)])
def test_an_unknown_path_ends_at_its_last_known_value(path):
    assert position('{"b": 0,\n "a": [1, 2]}', path)[0] == 2


def test_faults_are_in_the_order_of_the_text():
    text = '{"b": 1,\n"a": 2}'
    found = faults_at(text, [(("a",), "second"), (("b",), "first"), ((), "whole")])
    assert [fault.message for fault in found] == ["whole", "first", "second"]


def test_an_empty_text_has_one_position():
    assert position("", ("a",)) == (1, 1)
