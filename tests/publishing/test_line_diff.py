from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.choices import ComponentKind
from console.publishing import manifest_diff
from console.publishing.line_diff import MAX_EDITS, line_diff
from console.publishing.manifest import ComponentSnapshot
from console.publishing.manifest_diff import Change, ChangeStatus, diff

few = st.lists(st.sampled_from("abc"), max_size=12)


@given(before=few, after=few)
def test_it_contains_both_sides(before, after):
    found = line_diff(before, after)
    assert [line for sign, line in found if sign in " -"] == before
    assert [line for sign, line in found if sign in " +"] == after


@given(before=few, after=few)
def test_it_is_the_shortest_diff(before, after):
    """The edits are as many as the longest common subsequence leaves."""
    longest = [0] * (len(after) + 1)
    for old in before:
        row = [0]
        for number, new in enumerate(after):
            row.append(longest[number] + 1 if old == new else max(row[-1], longest[number + 1]))
        longest = row
    edits = sum(sign != " " for sign, _ in line_diff(before, after))
    assert edits == len(before) + len(after) - 2 * longest[-1]


def test_texts_without_common_lines_are_one_block():
    before = [f"old {number}" for number in range(MAX_EDITS)]
    after = [f"new {number}" for number in range(MAX_EDITS)]
    signs = [sign for sign, _ in line_diff(["{", *before, "}"], ["{", *after, "}"])]
    assert signs == [" ", *["-"] * MAX_EDITS, *["+"] * MAX_EDITS, " "]


def part(*items: str) -> ComponentSnapshot:
    return ComponentSnapshot(
        kind=ComponentKind.PAGE, name="A", link_name="a", definition={"items": list(items)}
    )


def changed(before: ComponentSnapshot, after: ComponentSnapshot) -> Change:
    return Change(status=ChangeStatus.MODIFIED, before=before, after=after)


def test_it_shows_three_lines_around_each_change():
    items = [f"i{number:02}" for number in range(30)]
    after = [*items]
    after[3] = after[25] = "new"
    lines = diff(changed(part(*items), part(*after)))
    shown = [f"{line.sign}{line.text.strip()}".strip() for line in lines]
    first = ["i00", "i01", "i02", "-i03", "+new", "i04", "i05", "i06", "…"]
    assert [each.replace(chr(34), "") for each in shown[:9]] == first
    assert shown[9:12] == ['"i22"', '"i23"', '"i24"']


def test_it_truncates_a_diff_that_is_too_long():
    lines = diff(changed(part(), part(*map(str, range(3_000)))))
    assert len(lines) == manifest_diff.MAX_LINES + 1
    assert "too long to show in full" in lines[-1].text


@pytest.mark.parametrize("one_side", ["before", "after"])
def test_an_added_or_deleted_component_is_shown_in_full(one_side):
    sides = {"before": None, "after": None, one_side: part("a")}
    lines = diff(Change(status=ChangeStatus.ADDED, **sides))
    assert {line.sign for line in lines} == {"-" if one_side == "before" else "+"}
