"""The guide for developers says what passes through the proxy: the lists are those of the code."""

from __future__ import annotations

import re

import pytest

from connections.calls import proxy_request, proxy_response
from connectors.http.ssrf import MAX_TARGET_LENGTH
from console.runtime.problem_types import PROBLEM_TYPES
from tests.servers import ROOT

GUIDE = (ROOT / "docs" / "guides" / "developer.md").read_text()
SECTION = GUIDE.partition("### What passes through the proxy\n")[2].partition("\n**If a key")[0]
LISTS = {
    "belong to one connection": proxy_request.HOP_BY_HOP,
    "set by the console": proxy_request.REPLACED_IN_REQUEST,
    "dropped and listed": proxy_request.DROPPED_IN_REQUEST,
    "dropped in both directions and listed": proxy_request.FOR_SERVERS,
    "only if the connector has `api_cookies`": proxy_request.COOKIES,
    "set by the console's server": proxy_response.REPLACED_IN_RESPONSE,
    "dropped and listed (answer)": proxy_response.DROPPED_IN_RESPONSE,
    "rewritten": proxy_response.URL_HEADERS,
    "its targets are rewritten": proxy_response.LINK_HEADERS,
    "added": frozenset(name.lower() for name, _ in proxy_response.ADDED),
}


def told() -> dict[str, list[str]]:
    """Return the names in each row of the two tables."""
    rows: dict[str, list[str]] = {}
    for label, names in re.findall(r"^\| ([^|]+) \| (`[^|]+) \| [^|]*\|$", SECTION, re.MULTILINE):
        key = f"{label} (answer)" if label in rows else label
        rows[key] = re.findall(r"`([^`]+)`", names)
    return rows


def test_each_list_is_there() -> None:
    assert told().keys() == LISTS.keys()


@pytest.mark.parametrize("label", LISTS)
def test_a_list_is_that_of_the_code(label: str) -> None:
    names = [name.lower() for name in told()[label]]
    assert sorted(names) == sorted(LISTS[label])


@pytest.mark.parametrize("label", ["dropped and listed", "dropped in both directions and listed"])
def test_what_the_guide_says_is_dropped_does_not_go_out(label: str) -> None:
    for name in told()[label]:
        header = name.replace("*", "Thing")
        sent = proxy_request.outgoing_headers([(header, "x"), ("X-Mine", "y")], {}, {})
        assert header not in sent.headers and sent.headers["X-Mine"] == "y"
        assert sent.dropped == [header]


def test_the_figures_and_names_are_those_of_the_code() -> None:
    assert f"{MAX_TARGET_LENGTH:,} characters" in SECTION
    assert proxy_request.DROPPED_REQUEST_HEADER in SECTION
    assert proxy_response.DROPPED_RESPONSE_HEADER in SECTION
    slugs = set(re.findall(r"\(`([a-z-]+)`\)", SECTION))
    refusals = {"path-refused", "address-too-long", "header-refused"}
    assert slugs == refusals <= PROBLEM_TYPES.keys()
