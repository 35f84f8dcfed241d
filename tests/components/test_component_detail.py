from __future__ import annotations

import re

import pytest
from django.urls import reverse

from connections.models import Connection
from console.publishing import publishing
from tests.connections.flow_steps import words_of


def show(client, component) -> str:
    response = client.get(component.get_absolute_url())
    assert response.status_code == 200
    return words_of(response)


def test_it_works(developer_client, developer, build):
    component = build("Find customer")
    page = show(developer_client, component)
    for words in ("Find customer", "Function", "find_customer", str(developer), "Definition"):
        assert words in page
    assert "not in Stage yet" in page


def test_it_marks_applications_in_the_sidebar(developer_client, build):
    html = developer_client.get(build("Find").get_absolute_url()).content.decode()
    assert re.findall(r'<a class="sidebar-link"[^>]* title="(\w+)" aria-current', html) == [
        "Applications"
    ]


@pytest.mark.parametrize("kind", ["form", "report", "page"])
def test_only_functions_and_workflows_have_a_run_panel(developer_client, build, kind):
    component = build("Entry", kind=kind, definition={})
    html = developer_client.get(component.get_absolute_url()).content.decode()
    assert 'id="run"' not in html
    assert reverse("component_run", args=[component.pk]) not in html


def test_it_shows_the_definition_as_it_was_typed(developer_client, build):
    component = build("Find")
    type(component).objects.update(definition='{ "calls" :[ ],\n\t"b":"</textarea><b>é" }')
    html = developer_client.get(component.get_absolute_url()).content.decode()
    assert "{ &quot;calls&quot; :[ ],\n\t&quot;b&quot;:&quot;&lt;/textarea&gt;&lt;b&gt;é" in html


def test_it_keeps_the_contract_with_the_editor(developer_client, build):
    component = build("Find")
    html = developer_client.get(component.get_absolute_url()).content.decode()
    check = reverse("component_check", args=[component.pk])
    assert re.search(
        rf'<div data-editor data-check-url="{check}" data-scripts="[^"]+">'
        r'<textarea name="definition"',
        html,
    )
    assert "data-editor-status" in html


def test_the_editor_is_loaded_after_the_page(developer_client, build):
    html = developer_client.get(build("Find").get_absolute_url()).content.decode()
    [scripts] = re.findall(r'data-scripts="([^"]+)"', html)
    assert re.fullmatch(r"\S+codemirror\S*\.js \S+editor\S*\.js", scripts)
    assert not {*scripts.split()} & {*re.findall(r'<script src="([^"]+)"', html)}


def test_it_says_how_its_connections_stand(developer_client, connect, grant, build):
    connection = connect(name="People", separate_environments=True)
    grant(connection, "development")
    component = build("Find", connection)

    response = developer_client.get(component.get_absolute_url())

    page = words_of(response)
    assert "Development Authorized as alice@example.com" in page
    assert "Stage Not authorized" in page
    html = response.content.decode()
    assert f'href="{connection.get_absolute_url()}"' in html
    authorize = reverse("connection_authorize", args=[connection.pk])
    assert f"{authorize}?environment=stage" in html
    assert f"{authorize}?environment=development" not in html


@pytest.mark.usefixtures("may_publish")
def test_stage_is_judged_as_it_was_released(
    developer_client, developer, application, connect, grant, build
):
    connection = connect(name="People")
    grant(connection)
    component = build("Find", connection)
    publishing.publish(application, developer, ticked=["find"])
    Connection.objects.update(separate_environments=True)

    page = show(developer_client, component)

    assert "Development Not authorized" in page
    assert "Stage Authorized as alice@example.com" in page
    assert "published to Stage" in page


def test_it_lists_what_runs_it(developer_client, build):
    function = build("Find")
    assert "No component runs this function." in show(developer_client, function)
    build("Whole", kind="workflow", definition={"steps": [{"function": "find"}]})
    page = show(developer_client, function)
    assert "Used by Whole Workflow" in page
    assert "Other components run this function, so you cannot delete it yet." in page


def inputs(client, component) -> list[str]:
    html = client.get(component.get_absolute_url()).content.decode()
    return re.findall(r'name="input\.(\w+)"', html)


def test_it_asks_for_every_input(developer_client, connect, build):
    connection = connect()
    call = {
        "connection": connection.link_name,
        "method": "POST",
        "path": "/contacts/{{ input.id }}",
        "body": {"a": ["{{input.name}} {{ input.id }}"]},
    }
    declared = [{"name": "note", "label": "Note for the customer", "type": "long_text"}]
    component = build("Find", definition={"input": declared, "calls": [call]})
    assert inputs(developer_client, component) == ["note", "id", "name"]
    assert "Note for the customer" in show(developer_client, component)


def test_a_workflow_asks_for_what_its_functions_take(developer_client, connect, build):
    connection = connect()
    call = {"connection": connection.link_name, "path": "/{{ input.of_function }}"}
    build("Find", definition={"calls": [call]})
    steps = [{"function": "find", "input": {"of_function": "{{ input.own }}"}}]
    own = build("Own", kind="workflow", definition={"steps": steps})
    handed = build("Handed", kind="workflow", definition={"steps": [{"function": "find"}]})
    assert inputs(developer_client, own) == ["own"]
    assert inputs(developer_client, handed) == ["of_function"]


@pytest.mark.usefixtures("may_publish")
def test_without_stage_there_is_no_running_there(developer_client, developer, application, build):
    component = build("Find")
    assert "Find is not in Stage yet. Publish it first." in show(developer_client, component)
    assert stage_is_disabled(developer_client, component)
    publishing.publish(application, developer, ticked=["find"])
    assert not stage_is_disabled(developer_client, component)


def stage_is_disabled(client, component) -> bool:
    html = client.get(component.get_absolute_url()).content.decode()
    radio = html[html.index('id="run-stage"') :]
    return " disabled" in radio[: radio.index(">")]


def test_markup_stays_text(developer_client, build):
    hostile = '"><svg onload=alert(1)>'
    definition = {"input": [{"name": "x", "label": hostile}], "calls": []}
    component = build(hostile, definition=definition)
    assert "<svg onload" not in developer_client.get(component.get_absolute_url()).content.decode()


@pytest.mark.parametrize("may", [True, False])
def test_it_leads_to_publishing_whom_it_opens_for(
    may, developer_client, application, build, request
):
    if may:
        request.getfixturevalue("may_publish")
    page = developer_client.get(build("Find").get_absolute_url())
    assert "not in Stage yet" in words_of(page)
    publish = reverse("publish", args=[application.pk])
    assert (publish in page.content.decode()) == may
