from __future__ import annotations

import json
import re

import pytest

from connections.models import Authorization
from console.publishing import publishing
from tests.runtime.answers import problem

API = "http://localhost:9000/api"


@pytest.fixture
def find(build, people):
    """A function with one call, whose path holds what it is given."""
    call = {"connection": "people", "path": "/contacts/{{ input.id }}"}
    return build("Find", definition={"calls": [call]})


def test_it_runs_and_tells_what_came(ask, network, find):
    network.get(f"{API}/contacts/7", json={"name": "Amara"})
    response = ask("functions/find/run", {"input": {"id": 7}})
    assert response.status_code == 200
    told = response.json()
    assert told["answer"] == {"name": "Amara"}
    assert (told["outcome"], told["problem"], told["environment"]) == ("worked", "", "development")
    (step,) = told["steps"]
    (call,) = step["calls"]
    assert (step["function"], step["name"]) == ("find", "Find")
    assert (call["connection"], call["method"], call["status"]) == ("People", "GET", 200)
    assert call["milliseconds"] >= 0
    assert network.calls[0].request.headers["Authorization"] == "Bearer an-access-token"
    assert "an-access-token" not in response.content.decode()


def test_it_stops_and_says_why(ask, network, find):
    network.get(f"{API}/contacts/7", status=404, json={"error": "none"})
    told = ask("functions/find/run", {"input": {"id": 7}}).json()
    assert (told["outcome"], told["answer"]) == ("stopped", {"error": "none"})
    assert told["problem"] == "Sandbox answered 404 Not Found."


def test_a_run_that_ends_an_authorization_says_why_and_where_to_authorize(
    ask, network, build, connect, grant, settings
):
    connection = connect(name="Mail", link_name="mail")
    grant(connection, secret={"access_token": "an-access-token"})
    build("Find", definition={"calls": [{"connection": "mail", "path": "/contacts/7"}]})
    network.get(f"{API}/contacts/7", status=401, json={"error": "invalid_token"})
    network.get(f"{API}/me", status=401, json={"error": "invalid_token"})
    told = ask("functions/find/run", {}).json()
    assert told["outcome"] == "stopped"
    (call,) = told["steps"][0]["calls"]
    assert call["reason_code"] == "credential_refused"
    assert call["authorize_url"] == (
        f"{settings.PUBLIC_URL}/connections/{connection.pk}/authorize/?environment=all"
    )
    assert call["missing_scopes"] == []


def test_a_run_names_the_scope_that_is_missing(ask, network, find):
    challenge = 'Bearer error="insufficient_scope", scope="orders.write"'
    network.get(f"{API}/contacts/7", status=403, json={}, headers={"WWW-Authenticate": challenge})
    told = ask("functions/find/run", {"input": {"id": 7}}).json()
    (call,) = told["steps"][0]["calls"]
    assert (call["missing_scopes"], call["reason_code"]) == (["orders.write"], None)


def test_a_missing_input_stops_it(ask, network, find):
    told = ask("functions/find/run", {}).json()
    assert told["outcome"] == "stopped"
    assert "{{ input.id }} has no value" in told["problem"]
    assert len(network.calls) == 0


def test_a_workflow_runs(ask, network, find, build):
    network.get(f"{API}/contacts/7", json={"id": 8})
    network.get(f"{API}/contacts/8", json={"id": 9})
    build("Twice", kind="workflow", definition={"steps": [{"function": "find"}] * 2})
    told = ask("functions/twice/run", {"input": {"id": 7}}).json()
    assert (told["answer"], len(told["steps"])) == ({"id": 9}, 2)


def test_stage_runs_what_was_released(ask, network, find, application, developer, may_publish):
    network.get(f"{API}/contacts/7", json={})
    body = {"input": {"id": 7}}
    document = problem(
        ask("functions/find/run", body, environment="stage"), "function-not-found", 404
    )
    assert document["detail"] == "Find is not in Stage yet. Publish it first."
    publishing.publish(application, developer, ticked=["find"])
    told = ask("functions/find/run", body, environment="stage").json()
    assert (told["outcome"], told["environment"]) == ("worked", "stage")


def test_what_does_not_run_is_not_there(ask, build):
    build("Start", kind="page", definition={"sections": []})
    document = problem(ask("functions/start/run", {}), "function-not-found", 404)
    assert "Only functions and workflows can be run" in document["detail"]
    problem(ask("functions/nothing/run", {}), "function-not-found", 404)


@pytest.fixture
def read_mail(build, own):
    call = {"connection": "own_mail", "path": "/me"}
    return build("Read mail", definition={"calls": [call]})


def test_a_call_for_nobody_needs_a_person(ask, network, read_mail):
    document = problem(ask("functions/read_mail/run", {}), "user-token-required", 401)
    assert "Own mail" in document["detail"]


def test_who_has_not_authorized_is_led_there(ask, network, read_mail, own, developer, settings):
    document = problem(
        ask("functions/read_mail/run", {}, user=developer), "authorization-required", 409
    )
    assert document["authorize_url"] == (
        f"{settings.PUBLIC_URL}/connections/{own.pk}/authorize/?environment=all"
    )


def test_it_never_takes_anybody_elses(ask, network, read_mail, own, grant, developer, super_admin):
    network.get(f"{API}/me", json={"me": "root"})
    grant(own, user=super_admin, secret={"access_token": "of-the-super-admin"})
    problem(ask("functions/read_mail/run", {}, user=developer), "authorization-required", 409)
    problem(ask("functions/read_mail/run", {}), "user-token-required", 401)
    assert len(network.calls) == 0
    assert ask("functions/read_mail/run", {}, user=super_admin).json()["outcome"] == "worked"
    assert network.calls[0].request.headers["Authorization"] == "Bearer of-the-super-admin"


def test_nothing_is_called_before_all_can_act(ask, network, find, read_mail, build, developer):
    network.get(f"{API}/contacts/7", json={})
    steps = [{"function": "find"}, {"function": "read_mail"}]
    build("Both", kind="workflow", definition={"steps": steps})
    response = ask("functions/both/run", {"input": {"id": 7}}, user=developer)
    problem(response, "authorization-required", 409)
    assert len(network.calls) == 0


@pytest.mark.parametrize(
    ("state", "slug"),
    [
        ("revoked", "authorization-required"),
        ("needs_authorization", "authorization-broken"),
        ("unknown_outcome", "authorization-broken"),
    ],
)
def test_an_administrator_authorizes_anew(ask, network, find, state, slug):
    Authorization.objects.update(state=state)
    document = problem(ask("functions/find/run", {"input": {"id": 1}}), slug, 409)
    assert document["detail"].startswith("People is not authorized in Development.")


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", '"x"', "null", '{"input": []}', '{"input": null}', '{"input": "x"}',
     '{"input": {}, "environment": "production"}', '{"user": "x"}', "[" * 100_000, "\x00",
     '{"input": {}} {}'],
)  # fmt: skip
def test_an_invalid_body_says_what_is_wrong(key_of, client, find, body):
    response = client.post(
        "/api/v1/functions/find/run",
        body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {key_of()}"},
    )
    problem(response, "request-invalid", 400)


def test_a_fault_names_its_field(ask, find):
    document = problem(ask("functions/find/run", {"input": []}), "request-invalid", 400)
    assert [each["at"] for each in document["errors"]] == ["input"]


@pytest.mark.parametrize(
    "value", ["\ud800", "a\0b", "x" * 10_000, {"a": [1, None]}, 10**400, 1e308]
)
def test_no_value_breaks_it(key_of, client, network, find, value):
    network.get(re.compile(".*"), json={})
    response = client.post(
        "/api/v1/functions/find/run",
        json.dumps({"input": {"id": value}}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key_of()}"},
    )
    assert response.status_code == 200
    assert response.json()["outcome"] in ("worked", "stopped")


def test_a_large_body_is_refused(key_of, client, find):
    response = client.post(
        "/api/v1/functions/find/run",
        json.dumps({"input": {"id": "x" * 3_000_000}}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {key_of()}"},
    )
    problem(response, "request-too-large", 413)


def test_members_that_nobody_knows_are_refused_as_one(ask, find):
    """However many are sent: each would be an error of its own, and be written back."""
    response = ask("functions/find/run", {f"a{number}": 1 for number in range(20_000)})
    assert "20000 unknown members" in problem(response, "request-invalid", 400)["detail"]
    assert len(response.content) < 2_000


def test_more_values_than_can_be_read_are_refused_with_the_limit(ask, find):
    response = ask("functions/find/run", {"input": {"id": [0] * 500_001}})
    assert "At most 500,000 are allowed" in problem(response, "request-invalid", 400)["detail"]
