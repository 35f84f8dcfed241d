from __future__ import annotations

import json

import pytest
from django.urls import reverse

from console.components.models import Component, Reference
from tests.connections.flow_steps import words_of


def save(client, component, definition: str = '{"calls": []}', **form):
    form = {"name": component.name, "version": component.version, "definition": definition} | form
    return client.post(reverse("component_save", args=[component.pk]), form)


def test_it_works(developer_client, connect, build, super_admin):
    connection = connect()
    component = build("Find")
    Component.objects.update(updated_by=super_admin)
    call = {"connection": connection.link_name, "path": "/contacts"}
    text = json.dumps({"calls": [call]}, indent=4)

    response = save(developer_client, component, text, name="Find people")

    assert response.status_code == 303
    after = Component.objects.get()
    assert (after.name, after.link_name, after.version) == ("Find people", "find", 2)
    assert after.definition == text
    assert str(after.updated_by) == "developer@studio.example"
    assert Reference.objects.get().connection == connection
    page = words_of(developer_client.get(response["Location"]))
    assert "Find people was saved." in page


def test_it_keeps_line_breaks_and_spaces_as_they_were_typed(developer_client, build):
    component = build("Find")
    assert (
        save(developer_client, component, '  {\r\n\t"calls" : [ ]\r\n}\r\n\r\n').status_code == 303
    )
    assert Component.objects.get().definition == '  {\n\t"calls" : [ ]\n}\n\n'


def test_it_says_what_is_wrong_and_keeps_the_text(developer_client, build):
    component = build("Find")
    before = component.definition
    text = '{\n  "calls": [\n    {"connection": "nope", "path": "/ü<b>"},\n    {"x": 1}\n  ]\n}'

    response = save(developer_client, component, text, name="New name")

    assert response.status_code == 422
    html, page = response.content.decode(), words_of(response)
    assert "the definition has" in page
    assert "Line 4, column 5" in page
    assert 'data-line="4" data-column="5"' in html
    assert '<a href="#id_definition">' in html
    assert "&lt;b&gt;" in html
    assert 'value="New name"' in html
    assert (Component.objects.get().definition, Component.objects.get().name) == (before, "Find")


def test_a_name_that_is_not_there_is_told_with_its_line(developer_client, connect, build):
    connect(link_name="people")
    component = build("Find")
    text = '{\n"calls": [\n{"connection": "peeple", "path": "/"}]}'
    page = words_of(save(developer_client, component, text))
    assert (
        "Line 3, column 16 : This application has no connection peeple. Did you mean people?"
        in page
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "This field is required."),
        ("{", "Line 1, column"),
        ('{"calls": [', "Line 1, column"),
        ("[]", "This must be an object in braces."),
        ("[" * 5000, "nested"),
        (r'{"a": "\ud800"}', "a character that cannot be stored"),
        ('{"a": "x\0"}', "Null characters are not allowed."),
        ('{"a": "' + "x" * 200_000 + '"}', "at most 200,000 characters"),
    ],
)
def test_it_refuses_what_is_no_definition(developer_client, build, text, words):
    component = build("Find")
    response = save(developer_client, component, text)
    assert response.status_code == 422
    assert words in words_of(response)
    assert Component.objects.get().version == 1


def query(value: str) -> str:
    return f'{{"calls": [{{"connection": "people", "path": "/", "query": {{"ids[]": {value}}}}}]}}'


@pytest.mark.parametrize("value", ['["1", "2"]', "[]", '[1, true, null, "{{ input.x }}"]'])
def test_a_name_of_a_query_may_be_repeated(developer_client, connect, build, value):
    connect(link_name="people")
    assert save(developer_client, build("Find"), query(value)).status_code == 303


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ('[["1"]]', "This must be a text in double quotes or a number"),
        ('[{"a": 1}]', "This must be a text in double quotes or a number"),
        ('{"a": 1}', "or a list in brackets"),
    ],
)
def test_a_query_holds_nothing_deeper(developer_client, connect, build, value, words):
    connect(link_name="people")
    response = save(developer_client, build("Find"), query(value))
    assert response.status_code == 422
    assert words in words_of(response)


def test_two_hundred_thousand_characters_are_kept(developer_client, build):
    component = build("Find")
    text = '{"a": "' + "ü" * (200_000 - 9) + '"}'
    assert len(text) == 200_000
    assert save(developer_client, component, text).status_code == 303
    assert Component.objects.get().definition == text


@pytest.mark.parametrize("name", ["", "x" * 101])
def test_it_refuses_a_bad_name(developer_client, build, name):
    component = build("Find")
    response = save(developer_client, component, '{"calls": [ ]}', name=name)
    assert response.status_code == 422
    assert "[ ]" in response.content.decode()
    assert Component.objects.get().name == "Find"


def test_it_does_not_overwrite_what_another_one_saved(
    developer_client, signed_in, super_admin, build
):
    component = build("Find")
    save(signed_in(super_admin), component, '{"of": "another"}')

    response = save(developer_client, component, '{"of": "me"}')

    assert response.status_code == 409
    html, page = response.content.decode(), words_of(response)
    assert "super_admin@studio.example has saved Find since you opened it" in page
    assert "{&quot;of&quot;: &quot;me&quot;}" in html
    assert Component.objects.get().definition == '{"of": "another"}'
    # Pressed again, it is refused again.
    assert 'name="version" value="1"' in html


@pytest.mark.parametrize("version", ["", "0", "-1", "x", "9" * 30])
def test_a_forged_version_saves_nothing(developer_client, build, version):
    component = build("Find")
    response = save(developer_client, component, version=version)
    assert response.status_code in (409, 422)
    assert Component.objects.get().version == 1
