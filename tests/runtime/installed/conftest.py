"""Programs of a client, which call what is installed there through the API and the proxy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from connections.calls import prepared_call
from console.accounts.models import User
from console.keys import authentication, user_tokens
from console.keys.issuing import create_key
from console.publishing.models import Installation
from tests.connectors.conftest import resolving, service  # noqa: F401
from tests.distribution.conftest import (  # noqa: F401
    admin,
    authorized,
    boss,
    change,
    client_organization,
    crm,
    first,
    installed,
    mailbox,
    person,
    publish,
    rows_of,
    share,
)
from tests.runtime.proxy.conftest import nothing_was_called_lately, upstream  # noqa: F401
from tests.runtime.proxy.program import Program


@pytest.fixture
def a_second_later() -> Callable[[], None]:
    """Let everything in the short caches expire."""

    def wait() -> None:
        for each in (authentication._holders, user_tokens._users):
            each.clear()
        prepared_call._prepared.expire()

    return wait


@pytest.fixture
def installation(installed) -> Installation:  # noqa: F811
    return installed()


@pytest.fixture
def key(installation, boss) -> str:  # noqa: F811
    application, client = installation.application, installation.organization
    return create_key(application, client, "production", boss, "A program")[1]


@pytest.fixture
def program(key) -> Program:
    return Program(key=key)


@pytest.fixture
def token_of(installation) -> Callable[[User], dict[str, str]]:
    """Return the header with the token that the application receives when a person opens it."""

    def sign(user: User) -> dict[str, str]:
        application, client = installation.application, installation.organization
        return {"Console-User": user_tokens.token_for(user, application, client, "production")}

    return sign


@pytest.fixture
def ask(key) -> Callable[..., Any]:
    """Ask the API with the client's key."""

    def do(path: str, data: Any = None, **headers: str) -> Any:
        headers = {"Authorization": f"Bearer {key}", **headers}
        address = f"/api/v1/{path}"
        if data is None:
            return Client().get(address, headers=headers)
        return Client().post(address, data, content_type="application/json", headers=headers)

    return do
