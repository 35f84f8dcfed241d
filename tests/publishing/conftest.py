"""Applications with something to publish."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connections.models import Connection
from console.choices import Environment
from console.components import saving
from console.components.models import Component
from console.publishing import publishing
from console.publishing.runs import run


@pytest.fixture(autouse=True)
def the_developer_may_publish(request) -> None:
    if "application" in request.fixturenames:
        request.getfixturevalue("may_publish")


@pytest.fixture
def two(connect, build) -> dict[str, Any]:
    """Two functions, each with a connection of its own."""
    people, parts = connect(name="People"), connect(name="Parts")
    return {
        "people": people,
        "parts": parts,
        "find": build("Find people", people),
        "order": build("Order parts", parts),
    }


@pytest.fixture
def publish(application, developer):
    """Publish changes by link name and return the release in Stage."""

    def do(*ticked: str, user=None, **options: Any):
        outcome = publishing.publish(application, user or developer, ticked=ticked, **options)
        return outcome.release

    return do


@pytest.fixture
def edit(developer):
    """Change a component's definition, or its name."""

    def do(component: Component, definition: Any = None, name: str = "") -> Component:
        row = Component.objects.get(pk=component.pk)
        row.name = name or row.name
        if definition is not None:
            row.definition = json.dumps(definition)
        return saving.save(row, developer, version=row.version)

    return do


@pytest.fixture
def ask_for(connect):
    """Change what a connection asks for."""

    def do(connection, *scopes: str) -> None:
        connection.scopes = list(scopes)
        connection.save()

    return do


@pytest.fixture
def people(connect, grant) -> Connection:
    """A connection with the link name ``people`` that somebody has authorized."""
    connection = connect(name="People", link_name="people")
    grant(connection)
    return connection


@pytest.fixture
def go(application, developer):
    """Run a component as the developer."""

    def start(link_name: str, environment: Environment = Environment.DEVELOPMENT, **given):
        return run(application, link_name, environment, developer, given)

    return start


@pytest.fixture
def function(build):
    """Make a function whose calls go through the connection ``people``."""

    def make(name: str, *calls: dict[str, Any]) -> Component:
        return build(
            name, definition={"calls": [{"connection": "people", **call} for call in calls]}
        )

    return make
