"""Programs that call the runtime API with an API key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from connections.models import Connection
from console.applications.models import Application
from console.keys import authentication, user_tokens
from console.keys.issuing import create_key


@pytest.fixture(autouse=True)
def nothing_was_read_lately() -> None:
    """Forget what earlier tests have read, and who has guessed."""
    cache.clear()
    for each in (authentication._holders, user_tokens._users, user_tokens._public_keys):
        each.clear()


@pytest.fixture
def key_of(application, developer) -> Callable[..., str]:
    """Return the text of a new key."""

    def make(environment: str = "development", application: Application = application) -> str:
        organization = application.organization
        return create_key(application, organization, environment, developer, "A program")[1]

    return make


@pytest.fixture
def ask(key_of, studio, application) -> Callable[..., Any]:
    """Ask the API as a program: with a key of ``environment``, maybe for a person."""
    keys: dict[str, str] = {}

    def do(path: str, data: Any = None, *, environment="development", user=None, **headers):
        key = keys.get(environment) or keys.setdefault(environment, key_of(environment))
        headers = {"Authorization": f"Bearer {key}", **headers}
        if user:
            headers["Console-User"] = user_tokens.token_for(user, application, studio, environment)
        client, address = Client(), f"/api/v1/{path}"
        if data is None:
            return client.get(address, headers=headers)
        return client.post(address, data, content_type="application/json", headers=headers)

    return do


@pytest.fixture
def people(connect, grant) -> Connection:
    """A connection with the link name ``people`` that somebody has authorized."""
    connection = connect(name="People", link_name="people")
    grant(connection)
    return connection


@pytest.fixture
def own(connect) -> Connection:
    """A connection that each person authorizes, and that nobody has authorized."""
    return connect(name="Own mail", link_name="own_mail", level="logged_in_user")
