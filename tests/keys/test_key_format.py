from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.keys.key_format import (
    PATTERN,
    PREFIXES,
    contains_key,
    digest_of,
    generate_key,
    prefix_of,
)


@pytest.mark.parametrize(("environment", "start"), PREFIXES.items())
def test_a_key_says_where_it_is_valid(environment, start):
    minted = generate_key(environment)
    assert re.fullmatch(PATTERN, minted.text)
    assert minted.text.startswith(f"{minted.prefix}_")
    assert minted.prefix.startswith(f"{start}_")
    assert minted.digest == digest_of(minted.text)
    assert minted.text not in repr(minted)


def test_no_two_are_alike():
    minted = [generate_key("stage") for _ in range(500)]
    assert len({each.text for each in minted} | {each.prefix for each in minted}) == 1000


def test_its_prefix_finds_it():
    minted = generate_key("development")
    assert prefix_of(minted.text) == minted.prefix


def test_every_changed_character_is_noticed():
    text = generate_key("development").text
    for position, was in enumerate(text):
        other = "B" if was != "B" else "C"
        assert prefix_of(text[:position] + other + text[position + 1 :]) is None, position


@given(st.text(max_size=90))
def test_whatever_else_is_no_key(text):
    assert prefix_of(text) is None


@pytest.mark.parametrize("around", ["{}\n", " {}", "{}x", "{}\0"])
def test_nothing_stands_around_it(around):
    assert prefix_of(around.format(generate_key("stage").text)) is None


def test_a_scanner_finds_it_in_a_text():
    text = f"key = '{generate_key('production').text}'  # never do this"
    assert contains_key(text)
    assert not contains_key("dc_prod_ is how it begins")
