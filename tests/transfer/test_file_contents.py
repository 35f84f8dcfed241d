"""Faults in the connections and components of a file, each with its line."""

from __future__ import annotations

import json

import pytest

from console.transfer.importing import read
from tests.transfer.expected_faults import calling, line_of, only
from tests.transfer.files import component, connection, document, text_of

#: How often a key occurs in a file before the first connection.
NAMED_BEFORE = {"name": 1, "link_name": 1}


def test_two_components_of_the_same_link_name_are_refused():
    value = document(components=[component("page"), component("page")])
    fault = only(value)
    assert fault.line == line_of(value, '"link_name": "page"', nth=2)
    assert "link name page" in fault.message


def test_two_connections_of_the_same_link_name_are_refused():
    value = document(
        connections=[connection("One", link_name="same"), connection("Two", link_name="same")],
        components=[],
    )
    assert only(value).line == line_of(value, '"link_name": "same"', nth=2)


def test_two_connections_of_the_same_name_are_refused_ignoring_case():
    value = document(connections=[connection(), connection("CUSTOMERS", link_name="others")])
    fault = only(value)
    assert fault.line == line_of(value, '"CUSTOMERS"')
    assert "upper and lower case" in fault.message


def test_it_suggests_the_normalized_host():
    fields = {"connector": "rabbitmq_management", "auth_type": "basic", "scopes": []}
    written = {"scheme": "https", "host": "https://HUB.example/"}
    value = document(connections=[connection(parameters=written, **fields)])
    assert "Write “hub.example”." in only(value).message


@pytest.mark.parametrize("where", ["application", "components.0"])
def test_it_refuses_invisible_characters_in_names(where):
    value = document()
    item = value["application"] if where == "application" else value["components"][0]
    item["name"] = "in\u200bvisible"
    fault = only(value)
    assert fault.where == f"{where}.name"
    assert "U+200B" in fault.message


def test_names_are_compared_in_normalized_form():
    value = document(
        connections=[connection("Café", link_name="a"), connection("Cafe\u0301", link_name="b")],
        components=[],
    )
    assert only(value).where == "connections.1.name"


def test_names_in_any_script_are_normalized():
    value = document(
        application={"name": "Cafe\u0301 🙂", "link_name": "cafe"},
        connections=[connection("ग्राहक", link_name="customers")],
    )
    manifest = read(json.dumps(value))
    assert manifest.name == "Café 🙂"
    assert [snapshot.name for snapshot in manifest.connections.values()] == ["ग्राहक"]


def test_two_components_may_have_the_same_name():
    pages = [{**component("a"), "name": "Page"}, {**component("b"), "name": "Page"}]
    assert len(read(text_of(document(components=pages))).components) == 2


def test_an_unknown_connector_is_refused_with_the_nearest():
    value = document(connections=[connection(connector="sandbux")])
    fault = only(value)
    assert fault.line == line_of(value, "sandbux")
    assert "sandbux" in fault.message
    assert "Did you mean sandbox" in fault.message


@pytest.mark.parametrize(
    ("changed", "where", "said"),
    [
        ({"auth_type": "basic"}, "auth_type", "only be authorized with oauth2"),
        ({"auth_type": "magic"}, "auth_type", "one of oauth2, basic, api_key"),
        ({"connector": "twilio", "auth_type": "api_key", "scopes": [], "level": "logged_in_user"},
         "level", "only the level administrator"),
        ({"scopes": ["contacts.read", "contacts.steal"]}, "scopes.1", "no scope contacts.steal"),
        ({"connector": "twilio", "auth_type": "api_key"}, "scopes.0", "has no scopes"),
        ({"parameters": {"color": "red"}}, "parameters.color", "no parameter color"),
        ({"connector": "zoho_crm", "scopes": [], "parameters": {"data_center": "zoho.moon"}},
         "parameters.data_center", "It must be one of zoho.com"),
        ({"connector": "zoho_crm", "scopes": []}, "parameters", "“data_center”"),
        ({"name": "a\u202eb"}, "name", "A name is one line"),
        ({"name": "a\u200bb"}, "name", "Remove U+200B"),
        ({"name": "\u0301a"}, "name", "cannot begin with an accent"),
        ({"name": "x" * 51}, "name", "at most 50"),
        ({"name": " "}, "name", "A name is one line"),
        ({"link_name": "Customers"}, "link_name", "A link name consists"),
        ({"link_name": "customers\n"}, "link_name", "A link name consists"),
        ({"all_actions": "yes"}, "all_actions", "true or false"),
        ({"scopes": "contacts.read"}, "scopes", "a list in brackets"),
        ({"parameters": {"a": 1}}, "parameters.a", "a text in double quotes"),
    ],
)  # fmt: skip
def test_it_refuses_invalid_connections(changed, where, said):
    value = document(
        connections=[connection(**{"link_name": "customers", **changed})], components=[]
    )
    fault = only(value)
    assert fault.where == f"connections.0.{where}"
    assert said in fault.message
    # Each key has its own line, and items of lists and objects are on the lines below.
    key, _, inner = where.partition(".")
    below = int(inner) + 1 if inner.isdecimal() else bool(inner)
    assert fault.line == line_of(value, f'"{key}"', nth=NAMED_BEFORE.get(key, 0) + 1) + below


def test_it_accepts_typed_scopes():
    typed = connection(connector="zoho_crm", scopes=["ZohoCRM.modules.custom.ALL"])
    typed["parameters"] = {"data_center": "zoho.eu"}
    value = document(connections=[typed], components=[])
    assert read(text_of(value)).connections["customers"].scopes == ("ZohoCRM.modules.custom.ALL",)


def test_a_call_through_a_connection_that_is_not_there_is_refused_with_the_nearest():
    value = calling(connection="custamers")
    fault = only(value)
    assert fault.line == line_of(value, "custamers")
    assert fault.where == "components.0.definition.calls.0.connection"
    assert fault.message.endswith("Did you mean customers?")


def test_a_use_of_a_function_that_is_not_there_is_refused_with_the_nearest():
    value = document()
    value["components"][1]["definition"]["submit"]["function"] = "add_custmer"
    fault = only(value)
    assert fault.line == line_of(value, "add_custmer")
    assert "Did you mean add_customer?" in fault.message


def test_it_refuses_to_run_a_component_that_is_not_a_function():
    value = document()
    value["components"][1]["definition"]["submit"]["function"] = "new_customer"
    assert "no function new_customer" in only(value).message


def test_a_reference_to_an_invalid_connection_is_no_second_fault():
    fault = only(document(connections=[connection(connector="nothing_like_it")]))
    assert fault.where == "connections.0.connector"


@pytest.mark.parametrize(
    ("changed", "where", "said"),
    [
        ({"path": "/x/{{ inptu.id }}"}, "path", "is not a valid placeholder"),
        ({"body": {"a": ["{{ input.x"]}}, "body.a.0", "not closed"),
        ({"headers": {"Authorization": "x"}}, "headers.Authorization", "The console sets"),
        ({"path": "/a/../b"}, "path", "segments"),
        ({"path": "https://elsewhere"}, "path", "begins with one slash"),
        ({"method": "STEAL"}, "method", "one of GET"),
        ({"color": 1}, "", "“color” is not allowed here"),
    ],
)  # fmt: skip
def test_it_refuses_invalid_calls(changed, where, said):
    fault = only(calling(**changed))
    assert fault.where == f"components.0.definition.calls.0.{where}".rstrip(".")
    assert said in fault.message


def test_it_refuses_an_unknown_kind():
    value = document(components=[component("x", "robot")])
    fault = only(value)
    assert fault.line == line_of(value, "robot")
    assert "one of form, report, page, workflow, function" in fault.message


def test_a_definition_that_is_too_long_is_refused():
    long = component("long", definition={"text": "x" * 200_000})
    fault = only(document(components=[long]))
    assert fault.where == "components.0.definition"
    assert "at most 200,000 characters" in fault.message
