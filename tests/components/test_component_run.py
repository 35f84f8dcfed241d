from __future__ import annotations

import json

import pytest
from django.urls import reverse

from connections.models import Credential
from console.invocations import log_writer
from console.publishing import publishing
from tests.connections.flow_steps import words_of
from tests.invocations.lines import fields_of

API = "http://localhost:9000/api"


@pytest.fixture
def find(connect, grant, build):
    """A function with one call and one input."""
    connection = connect(name="People", link_name="people")
    grant(connection)
    call = {"connection": "people", "path": "/contacts", "query": {"q": "{{ input.who }}"}}
    return build("Find", definition={"calls": [call]})


def run(client, component, environment: str = "development", **given):
    htmx = given.pop("htmx", False)
    headers = {"HX-Request": "true", "HX-Target": "run"} if htmx else {}
    form = {"environment": environment} | {f"input.{name}": value for name, value in given.items()}
    return client.post(reverse("component_run", args=[component.pk]), form, headers=headers)


def test_it_works(developer_client, network, find):
    network.get(f"{API}/contacts", json={"contacts": [{"name": "Zoë"}]})

    response = run(developer_client, find, who="zo ë")

    assert response.status_code == 200
    page, html = words_of(response), response.content.decode()
    assert "It worked in Development after 1 call" in page
    assert f"GET {API}/contacts?q=zo+%C3%AB" in page
    assert "200 OK" in page
    assert "Authorization: •••" in page
    assert "an-access-token" not in html
    assert "&quot;name&quot;: &quot;Zoë&quot;" in html
    assert 'value="zo ë"' in html
    assert "<h1>Find</h1>" in html


def test_the_log_of_calls_has_the_called_url_without_its_query(developer_client, network, find):
    network.get(f"{API}/contacts", json={})
    run(developer_client, find, who="zoe")
    logged = fields_of(log_writer.writer._rows[-1])
    assert f"http://{logged['host']}{logged['path']}" == f"{API}/contacts"


def test_with_htmx_it_answers_with_the_panel_alone(developer_client, network, find):
    network.get(f"{API}/contacts", json={})
    html = run(developer_client, find, who="zoe", htmx=True).content.decode()
    assert html.lstrip().startswith('<section class="run" id="run"')
    assert "<html" not in html
    assert 'value="zoe"' in html
    assert "It worked" in html
    assert f'action="{reverse("component_run", args=[find.pk])}"' in html


def test_a_failure_is_told_in_words(developer_client, network, find):
    network.get(f"{API}/contacts", status=404, body="<b>nothing</b>")
    response = run(developer_client, find, who="x")
    page = words_of(response)
    assert response.status_code == 200
    assert "It stopped in Development" in page
    assert "404 Not Found" in page
    assert "Sandbox answered 404 Not Found." in page
    assert "&lt;b&gt;nothing" in response.content.decode()


def test_a_missing_authorization_comes_with_its_button(developer_client, network, find):
    Credential.objects.all().delete()
    response = run(developer_client, find, who="x")
    page = words_of(response)
    assert "People is not authorized in Development." in page
    assert "Authorize People" in page
    assert "/authorize/?environment=all" in response.content.decode()
    assert "after 0 calls" in page
    assert "Not sent" in page


def test_a_long_answer_is_cut(developer_client, network, find):
    network.get(f"{API}/contacts", json={"x": "é" * 100_000})
    response = run(developer_client, find, who="x")
    assert "The first 64 KiB of 195 KiB are shown." in words_of(response)
    assert len(response.content) < 200_000


def test_a_number_is_sent_as_one(developer_client, network, connect, grant, build):
    connection = connect(link_name="people")
    grant(connection)
    call = {"connection": "people", "method": "POST", "path": "/orders", "body": "{{ input.n }}"}
    declared = [{"name": "n", "label": "How many", "type": "number", "required": True}]
    component = build("Order", definition={"input": declared, "calls": [call]})
    network.post(f"{API}/orders", json={})

    assert run(developer_client, component, n="2.5").status_code == 200
    assert json.loads(network.calls[0].request.body) == 2.5
    for wrong in ("two", "", "NaN", "[1]", "true", "1" * 5000):
        response = run(developer_client, component, n=wrong, htmx=True)
        assert response.status_code == 422, wrong
        assert "How many" in words_of(response)
    assert len(network.calls) == 1


def test_a_workflow_shows_each_step(developer_client, network, find, build):
    network.get(f"{API}/contacts", json={"who": "b"})
    steps = [{"function": "find", "input": {"who": "{{ input.a }}"}}, {"function": "find"}]
    workflow = build("Whole", kind="workflow", definition={"steps": steps})
    page = words_of(run(developer_client, workflow, a="x", who=""))
    assert "1. Find" in page
    assert "2. Find" in page
    assert network.calls[1].request.url.endswith("?q=b")


@pytest.mark.usefixtures("may_publish")
def test_it_runs_in_stage_what_is_there(developer_client, developer, application, network, find):
    network.get(f"{API}/contacts", json={})
    response = run(developer_client, find, "stage", who="x")
    assert response.status_code == 422
    assert "Find is not in Stage yet. Publish it first." in words_of(response)
    assert len(network.calls) == 0

    publishing.publish(application, developer, ticked=["find"])
    assert "It worked in Stage" in words_of(run(developer_client, find, "stage", who="x"))


@pytest.mark.parametrize("environment", ["", "production", "all", "x"])
def test_it_runs_nowhere_else(developer_client, network, find, environment):
    assert run(developer_client, find, environment, who="x").status_code == 422
    assert len(network.calls) == 0


def test_a_form_does_not_run(developer_client, build):
    component = build("Entry", kind="form", definition={})
    assert run(developer_client, component).status_code == 404


def test_a_link_to_run_chooses_stage_and_moves_the_focus(
    developer_client, find, application, super_admin
):
    page = find.get_absolute_url()
    assert "autofocus" not in developer_client.get(page).content.decode()
    html = developer_client.get(f"{page}?run=stage").content.decode()
    assert 'id="run-development"' in html
    assert " autofocus" in html
    described = 'aria-labelledby="run-stage_title" aria-describedby="run-stage_sentence"'
    chosen = f'value="stage" {described} checked'
    assert chosen not in html  # it is not in Stage yet
    publishing.publish(application, super_admin, ticked=[find.link_name])
    assert chosen in developer_client.get(f"{page}?run=stage").content.decode()
