from __future__ import annotations

import json
import re

import pytest

from console.choices import Environment

API = "http://localhost:9000/api"
DEVELOPMENT, STAGE = Environment.DEVELOPMENT, Environment.STAGE


def asked(network, number: int = 0):
    return network.calls[number].request


def test_it_fills_in_the_input(network, people, function, go):
    network.post(f"{API}/contacts/a%2Fb%20c/notes", json={"id": 7}, status=201)
    function(
        "Note",
        {
            "method": "POST",
            "path": "/contacts/{{ input.id }}/notes",
            "query": {"limit": "{{input.limit}}", "q": "for {{ input.id }}", "no": None},
            "headers": {"X-Note": "n {{ input.limit }}"},
            "body": {"n": "{{ input.limit }}", "text": "{{ input.id }}: {{ input.yes }}", "x": [1]},
        },
    )

    done = go("note", id="a/b c", limit=5, yes=True)

    request = asked(network)
    assert request.url == f"{API}/contacts/a%2Fb%20c/notes?limit=5&q=for+a%2Fb+c"
    assert request.headers["X-Note"] == "n 5"
    assert json.loads(request.body) == {"n": 5, "text": "a/b c: true", "x": [1]}
    assert (done.ok, done.answer, done.calls) == (True, {"id": 7}, 1)
    assert done.component.name == "Note"


def test_a_list_repeats_a_query_parameter(network, people, function, go):
    network.get(f"{API}/contacts", json={})
    query = {"ids[]": "{{ input.ids }}", "and": ["{{ input.one }}", 2], "none": "{{ input.no }}"}
    function("Find", {"path": "/contacts", "query": query})
    assert go("find", ids=["b", "a"], one=1, no=[]).ok
    assert asked(network).url == f"{API}/contacts?ids%5B%5D=b&ids%5B%5D=a&and=1&and=2"


def test_it_refuses_a_list_inside_a_list(network, people, function, go):
    function("Find", {"path": "/contacts", "query": {"ids": ["{{ input.ids }}"]}})
    done = go("find", ids=["a", "b"])
    assert not done.ok
    assert "“ids” is a list that holds lists" in done.problem
    assert len(network.calls) == 0


def test_a_call_uses_the_previous_answer(network, people, function, go):
    network.get(f"{API}/contacts", json={"contacts": [{"id": 3, "tags": ["a"]}]})
    network.post(f"{API}/orders", json={"ok": True})
    function(
        "Order",
        {"path": "/contacts"},
        {
            "method": "POST",
            "path": "/orders",
            "body": {"for": "{{ answer.contacts.0.id }}", "all": "{{ answer.contacts.0 }}"},
        },
    )
    assert go("order").answer == {"ok": True}
    assert json.loads(asked(network, 1).body) == {"for": 3, "all": {"id": 3, "tags": ["a"]}}


def test_a_call_uses_properties_of_the_connection(network, connect, grant, build, go):
    connection = connect("twilio", name="Phones", link_name="phones")
    grant(connection, secret={"account_sid": "AC1", "auth_token": "hidden-token"})
    path = "/2010-04-01/Accounts/{{ connection.account_sid }}.json"
    build("Phone", definition={"calls": [{"connection": "phones", "path": path}]})
    build(
        "Steal",
        definition={"calls": [{"connection": "phones", "path": "/{{ connection.auth_token }}"}]},
    )
    network.get("https://api.twilio.com/2010-04-01/Accounts/AC1.json", json={})

    assert go("phone").ok
    assert go("steal").problem == (
        "{{ connection.auth_token }} has no value: the connection has account_sid."
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"path": "/{{ input.y }}"}, "{{ input.y }} has no value: the input has x, z."),
        (
            {"path": "/{{ answer.y }}"},
            "{{ answer.y }} has no value: there is no earlier answer.",
        ),
        ({"path": "/", "body": "{{ input.x.y }}"}, "{{ input.x.y }} has no value: “x” is a text."),
        ({"path": "/{{ input.z }}"}, "{{ input.z }} is empty, which is not possible in a path."),
    ],
)
def test_a_missing_value_stops_it(network, people, function, go, call, sentence):
    function("Note", call)
    done = go("note", x="text", z="")
    assert done.problem == sentence
    assert done.steps[0].exchanges == ()
    assert len(network.calls) == 0


@pytest.mark.parametrize("value", [".", ".."])
def test_it_refuses_path_traversal(network, people, function, go, value):
    function("Note", {"path": "/contacts/{{ input.x }}/y"})
    assert go("note", x=value).problem == (
        f"{{{{ input.x }}}} is “{value}”, which is not possible in a path."
    )
    assert len(network.calls) == 0


@pytest.mark.parametrize(
    "value", ["//evil.example", "/\\evil.example", "@evil.example", "http://evil.example", "..;/",
              "%2e%2e", "%2f", "a\tb\r\nc", "?x#y", "..%2f..", "\u202e"],
)  # fmt: skip
def test_no_value_changes_the_host_or_path(network, people, function, go, value):
    network.get(re.compile(".*"), json={})
    function("Note", {"path": "/contacts/{{ input.x }}"})
    done = go("note", x=value)
    for call in network.calls:
        assert call.request.url.startswith(f"{API}/contacts/")
    assert len(network.calls) == 1 or "could lead out of" in done.problem


def test_it_stops_at_the_first_failure(network, people, function, go):
    network.get(f"{API}/contacts", json={"a": 1})
    network.get(f"{API}/orders", status=404, json={"error": "none"})
    function("All", {"path": "/contacts"}, {"path": "/orders"}, {"path": "/me"})
    done = go("all")
    assert [e.status for e in done.steps[0].exchanges] == [200, 404]
    assert done.problem == "Sandbox answered 404 Not Found."
    assert done.answer == {"error": "none"}
    assert not done.ok


def test_an_answer_may_be_text(network, people, function, go):
    network.get(f"{API}/contacts", body="hello")
    network.post(f"{API}/orders", json={})
    function(
        "All",
        {"path": "/contacts"},
        {"method": "POST", "path": "/orders", "body": {"a": "{{ answer.x }}"}},
    )
    done = go("all")
    assert done.problem == "{{ answer.x }} has no value: the earlier answer is a text."


def test_a_secret_of_one_service_never_reaches_another(network, people, connect, grant, build, go):
    other = connect("sandbox_api_key", name="Parts", link_name="parts")
    grant(other, secret={"key": "the-other-key"})
    network.get(f"{API}/contacts", json={"echo": "an-access-token"})
    network.post("http://localhost:9000/key/api/orders", json={})
    build(
        "Leak",
        definition={
            "calls": [
                {"connection": "people", "path": "/contacts"},
                {"connection": "parts", "method": "POST", "path": "/orders",
                 "body": "{{ answer.echo }}"},
            ]
        },
    )  # fmt: skip
    assert go("leak").ok
    assert asked(network, 1).body.decode() == "•••"


def test_a_function_without_calls_does_nothing(build, go):
    build("Nothing")
    done = go("nothing")
    assert (done.ok, done.calls, done.answer) == (True, 0, None)


def test_a_workflow_passes_answers_on(network, people, function, build, go):
    network.get(f"{API}/contacts", json={"id": 3, "name": "Amara"})
    network.post(f"{API}/orders", json={"order": 9})
    function("Find", {"path": "/contacts", "query": {"q": "{{ input.who }}"}})
    function(
        "Order",
        {"method": "POST", "path": "/orders", "body": ["{{ input.id }}", "{{ input.item }}"]},
    )
    steps = [
        {"function": "find", "input": {"who": "{{ input.customer }}"}},
        {"function": "order"},
        {"function": "find", "input": {"who": "order {{ answer.order }} of {{ input.customer }}"}},
    ]
    build("Whole", kind="workflow", definition={"steps": steps})

    done = go("whole", customer="amara", item="pump", id=1)

    assert done.ok, done.problem
    assert [step.name for step in done.steps] == ["Find", "Order", "Find"]
    assert asked(network).url.endswith("?q=amara")
    # What was given, overlaid by the answer before.
    assert json.loads(asked(network, 1).body) == [3, "pump"]
    assert asked(network, 2).url.endswith("?q=order+9+of+amara")
    assert done.answer == {"id": 3, "name": "Amara"}


def test_a_workflow_stops_at_the_first_failed_step(network, people, function, build, go):
    network.get(f"{API}/contacts", status=500)
    function("Find", {"path": "/contacts"})
    build("Whole", kind="workflow", definition={"steps": [{"function": "find"}] * 2})
    done = go("whole")
    assert len(done.steps) == 1
    assert done.problem == "Sandbox answered 500 Internal Server Error."


def test_a_step_with_a_missing_value_fails(build, go):
    build("Find")
    step = {"function": "find", "input": {"a": "{{ connection.x }}"}}
    build("Whole", kind="workflow", definition={"steps": [step]})
    assert go("whole").problem == "{{ connection.x }} has no value: only a call has a connection."
