from __future__ import annotations

import pytest

from connections.models import Authorization, Connection
from console.choices import Environment
from console.publishing.runs import NotRunnable, run

API = "http://localhost:9000/api"
DEVELOPMENT, STAGE = Environment.DEVELOPMENT, Environment.STAGE


def asked(network, number: int = 0):
    return network.calls[number].request


def test_a_run_makes_at_most_50_calls(network, people, function, build, application, developer):
    network.get(f"{API}/contacts", json={})
    function("Find", *[{"path": "/contacts"}] * 20)
    build("Whole", kind="workflow", definition={"steps": [{"function": "find"}] * 3})
    done = run(application, "whole", DEVELOPMENT, developer, {})
    assert (len(network.calls), done.calls) == (50, 50)
    assert done.problem.startswith("A run can make at most 50 calls")


def test_a_run_has_a_time_limit(network, people, function, application, developer):
    network.get(f"{API}/contacts", json={})
    function("Find", {"path": "/contacts"})
    done = run(application, "find", DEVELOPMENT, developer, {}, max_seconds=0)
    assert done.problem.startswith("The run took longer than 0 s")
    assert len(network.calls) == 0


def test_a_component_that_is_not_in_stage_cannot_run_there(build, go):
    build("Find customer")
    with pytest.raises(
        NotRunnable, match=r"Find customer is not in Stage yet\. Publish it first\."
    ):
        go("find_customer", STAGE)
    with pytest.raises(NotRunnable, match=r"nothing is not in Development yet\.$"):
        go("nothing")


def test_only_functions_and_workflows_run(build, go):
    build("Entry", kind="form", definition={"fields": []})
    with pytest.raises(NotRunnable, match="Entry is a form"):
        go("entry")


def test_stage_runs_what_was_published(network, people, function, publish, edit, go):
    network.get(f"{API}/old", json={"of": "stage"})
    network.get(f"{API}/new", json={"of": "development"})
    component = function("Find", {"path": "/old"})
    publish("find")
    edit(component, {"calls": [{"connection": "people", "path": "/new"}]})

    assert go("find", STAGE).answer == {"of": "stage"}
    assert go("find").answer == {"of": "development"}


def test_stage_never_acts_with_the_authorization_of_development(
    network, connect, grant, function, publish, go
):
    network.get(f"{API}/contacts", json={})
    connection = connect(name="People", link_name="people", separate_environments=True)
    grant(connection, "development")
    function("Find", {"path": "/contacts"})
    publish("find")

    assert go("find").ok
    refused = go("find", STAGE)

    assert len(network.calls) == 1
    assert "People is not authorized in Stage." in refused.problem
    assert refused.steps[0].exchanges[0].authorize_url.endswith("?environment=stage")
    grant(connection, "stage", secret={"access_token": "of-stage", "refresh_token": ""})
    assert go("find", STAGE).ok
    assert asked(network, 1).headers["Authorization"] == "Bearer of-stage"


def test_stage_reads_the_connection_as_it_was_released(
    network, people, grant, function, publish, go
):
    """Development already uses separate authorizations; the release in Stage does not."""
    network.get(f"{API}/contacts", json={})
    function("Find", {"path": "/contacts"})
    publish("find")
    Connection.objects.update(separate_environments=True)

    assert go("find", STAGE).ok
    assert not go("find").ok


def test_each_person_uses_their_own_account(
    network, connect, grant, function, application, developer, super_admin
):
    network.get(f"{API}/contacts", json={})
    connection = connect(link_name="people", level="logged_in_user")
    grant(connection, user=developer)
    function("Find", {"path": "/contacts"})
    assert run(application, "find", DEVELOPMENT, developer, {}).ok
    assert (
        "You have not authorized" in run(application, "find", DEVELOPMENT, super_admin, {}).problem
    )


def test_it_names_a_missing_connection(function, go, people):
    function("Find", {"path": "/contacts"})
    Connection.objects.update(link_name="other")
    assert go("find").problem == "The connection people is not in Development."


def test_it_takes_a_constant_number_of_queries(
    network, people, function, go, django_assert_max_num_queries
):
    network.get(f"{API}/contacts", json={})
    function("Find", *[{"path": "/contacts"}] * 20)
    with django_assert_max_num_queries(6):
        assert go("find").ok


def test_it_stops_when_an_authorization_ends(network, connect, grant, function, go):
    connection = connect("sandbox_api_key", link_name="people")
    grant(connection, secret={"key": "a-key-of-somebody"})
    network.get("http://localhost:9000/key/api/me", json={})
    network.get("http://localhost:9000/key/api/me", status=401)
    function("Find", *[{"path": "/me"}] * 3)
    done = go("find")
    assert "Sandbox API Key refused this key." in done.problem
    assert [e.status for e in done.steps[0].exchanges] == [200, 401]
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION
