"""Parse files to import, and report their faults."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.transfer.importing import MAX_BYTES, read
from tests.transfer.expected_faults import calling, faults, line_of, only
from tests.transfer.files import CALL, component, connection, document, text_of


def test_it_works():
    manifest = read(text_of(document()))
    assert (manifest.name, manifest.link_name) == ("Repairs", "repairs")
    assert manifest.connections["customers"].scopes == ("contacts.read",)
    assert manifest.components["add_customer"].reached.connections == ("customers",)


def test_it_reads_bytes_with_a_byte_order_mark():
    assert read(b"\xef\xbb\xbf" + text_of(document()).encode()).name == "Repairs"


def test_optional_keys_of_a_connection_may_be_missing():
    short = {
        name: value
        for name, value in connection().items()
        if name not in ("all_actions", "scopes", "separate_environments", "parameters")
    }
    assert read(text_of(document(connections=[short]))).connections["customers"].scopes == ()


def test_it_refuses_what_is_not_utf_8():
    fault = only(text_of(document()).encode().replace(b'"Repairs"', b'"R\xe9"'))
    assert (fault.line, fault.column) == (5, 15)
    assert "UTF-8" in fault.message


def test_it_refuses_what_is_not_json():
    fault = only('{\n  "format": "developer-console/application",\n}')
    assert fault.line in (2, 3)
    assert "comma" in fault.message


def test_it_refuses_duplicate_keys():
    fault = only('{\n  "format": 1,\n  "format": 2\n}')
    assert (fault.line, fault.message) == (3, "“format” appears twice in one object.")


def test_it_refuses_a_file_that_is_too_large():
    text = text_of(document())
    largest = text + " " * (MAX_BYTES - len(text))
    assert read(largest).name == "Repairs"
    fault = only(largest + " ")
    assert "10 MB" in fault.message


def test_the_size_limit_counts_bytes():
    assert "10 MB" in only("é" * (MAX_BYTES // 2 + 1)).message


@pytest.mark.parametrize("value", [{"format": "something/else"}, {"openapi": "3.1.0"}, {}])
def test_it_refuses_a_file_of_something_else(value):
    fault = only(value)
    assert "not an exported application" in fault.message
    assert "developer-console/application" in fault.message


@pytest.mark.parametrize("text", ["[]", "null", '"x"', "1"])
def test_it_refuses_documents_that_are_not_objects(text):
    assert "not an exported application" in only(text).message


def test_it_refuses_a_newer_schema():
    fault = only(document(schema=2))
    assert fault.line == 3
    assert fault.message == (
        "This file has schema 2, but this console supports schema 1 at most. "
        "Update this console, or export the application from an older one."
    )


@pytest.mark.parametrize("number", [0, -1, "1", 1.5, True, None])
def test_it_refuses_an_invalid_schema_number(number):
    fault = only(document(schema=number))
    assert (fault.where, fault.line) == ("schema", 3)


@pytest.mark.parametrize("name", ["application", "connections", "components"])
def test_it_says_what_is_missing(name):
    whole = document(components=[])
    del whole[name]
    fault = only(whole)
    assert fault.message == f"“{name}” is missing."


def test_it_refuses_unknown_keys():
    fault = only(document(secrets={}))
    assert "“secrets” is not allowed here" in fault.message


def test_it_refuses_too_many_components():
    pages = [component(f"page_{number}") for number in range(5000)]
    assert len(read(text_of(document(components=pages))).components) == 5000
    fault = only(document(components=[*pages, component("one_more")]))
    assert fault.message == "There can be at most 5000 of these, but there are 5001."
    assert fault.where == "components"


def test_it_refuses_too_many_connections():
    many = [connection(f"Service {number}") for number in range(1001)]
    fault = only(document(connections=many, components=[]))
    assert fault.message == "There can be at most 1000 of these, but there are 1001."


def nested(depth: int) -> dict[str, Any]:
    """Return a file whose brackets are nested so deep."""
    innermost: Any = {}
    for _ in range(depth - 4):
        innermost = {"x": innermost}
    return document(components=[component("deep", definition=innermost)])


def test_it_refuses_brackets_that_are_nested_too_deep():
    assert read(text_of(nested(64))).name == "Repairs"
    fault = only(nested(65))
    assert "64 deep" in fault.message
    assert fault.line == line_of(nested(65), ": {}", nth=2)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_it_survives_extremely_deep_nesting(text):
    assert faults(text)


def test_it_reports_every_fault_sorted_by_line():
    value = document(connections=[connection(connector="sandbux", color=1), connection("B")])
    value["connections"][1]["connector"] = "slak"
    value["components"][0]["definition"]["calls"][0]["path"] = "/{{ x }}"
    value["components"][1]["definition"]["submit"]["function"] = "nothing"
    value = {name: value[name] for name in reversed(value)}
    found = faults(value)
    assert [fault.where for fault in found] == [
        "components.0.definition.calls.0.path",
        "components.1.definition.submit.function",
        "connections.0",
        "connections.1.connector",
    ]
    assert [fault.line for fault in found] == sorted(fault.line for fault in found)


def test_it_names_twenty_faults_at_most():
    pages = [component(f"f_{n}", "function", {"calls": [{**CALL, "connection": "nobody"}]})
             for n in range(60)]  # fmt: skip
    assert len(faults(document(components=pages))) == 20
    assert len(faults(document(components=[{"kind": 1}] * 60))) == 20


def test_a_file_on_one_line_has_columns():
    value = calling(connection="custamers")
    text = json.dumps(value)
    fault = only(text)
    assert (fault.line, fault.column) == (1, text.index('"custamers"') + 1)
