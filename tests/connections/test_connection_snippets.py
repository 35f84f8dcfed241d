from __future__ import annotations

import ast
import json
import shlex

import pytest
from django.urls import reverse
from django.utils import timezone

from console.choices import Level
from console.components.definitions import parse, problems
from console.invocations.models import Invocation
from console.keys.issuing import create_key
from console.runtime.snippets import snippets
from tests.connections.flow_steps import words_of


def texts(connection, hint=""):
    return {each.name: each.text for each in snippets(connection.snapshot, hint)}


@pytest.mark.parametrize("level", Level.values)
def test_they_name_the_connection(connect, settings, level):
    connection = connect(name="Orders", link_name="orders", level=level)
    found = texts(connection, "“Backend”")
    url = f"{settings.PUBLIC_URL}/api/v1/connections/orders/proxy/me"
    words = shlex.split(found["curl"], comments=True)
    assert words[:2] == ["curl", url]
    assert words[-1] == "Authorization: Bearer $CONSOLE_KEY"
    ast.parse(found["python"])
    assert 'console.connection("orders"' in found["python"]
    assert f'fetch("{url}"' in found["typescript"]
    call = json.loads(found["function"])["calls"][0]
    assert call == {"connection": "orders", "method": "GET", "path": "/me"}
    is_personal = level == Level.LOGGED_IN_USER
    for name in ("curl", "python", "typescript"):
        assert "“Backend”" in found[name]
        assert ("CONSOLE_USER" in found[name]) == is_personal


def test_the_page_shows_them_with_a_key_and_the_last_calls(
    developer_client, connect, application, developer
):
    connection = connect(name="Orders", link_name="orders")
    page = words_of(developer_client.get(connection.get_absolute_url()))
    assert "has no key yet" in page
    assert "No calls in the last" in page
    key, text = create_key(application, application.organization, "stage", developer, "Backend")
    for number in range(11):
        Invocation.objects.create(
            organization=application.organization,
            application=application,
            connection=connection,
            environment="development",
            method="GET",
            path=f"/calls/{number}",
            host="api.example.com",
            status=200,
            milliseconds=5,
            at=timezone.now(),
        )
    response = developer_client.get(connection.get_absolute_url())
    page = words_of(response)
    assert f"{key.prefix}_…" in page
    assert text not in response.content.decode()
    assert "Last used" in page
    assert "/calls/10" in page
    assert "/calls/0 " not in page
    assert reverse("connection_calls", args=[connection.pk]) in response.content.decode()


def test_the_function_is_a_valid_definition(connect):
    connection = connect(name="Orders", link_name="orders")
    definition = parse("function", texts(connection)["function"])
    assert list(problems("function", definition)) == []
    assert definition.connections == ("orders",)
