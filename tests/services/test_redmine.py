"""An API key with a real Redmine, as Debian packages it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from connections.authorizations.connection_state import ConnectionState
from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import invoke
from connections.models import Authorization, Connection, Credential
from tests.connections.call_helpers import get, state_of
from tests.servers import free_port, running, unavailable, wait_for_line
from tests.setup import REDMINE_FOR_TESTS, redmine_is_there

#: The status of a locked user (app/models/principal.rb of Redmine).
LOCKED = 3


@dataclass(frozen=True, kw_only=True)
class Redmine:
    """The running Redmine: its host and the administrator's API key."""

    host: str
    api_key: str = field(repr=False)

    def ask(self, method: str, path: str, **user: Any) -> dict[str, Any]:
        """Send a request as the administrator, without the console."""
        answer = requests.request(
            method,
            f"http://{self.host}{path}",
            json={"user": user},
            headers={"X-Redmine-API-Key": self.api_key},
            timeout=10,
        )
        answer.raise_for_status()
        return answer.json()["user"] if answer.content else {}


@pytest.fixture(scope="module")
def redmine(tmp_path_factory) -> Iterator[Redmine]:
    """Run a Redmine with an empty database."""
    if not redmine_is_there():
        unavailable(
            "redmine is not installed: it needs apt-get and root (tests/setup.py)",
            wanted_in_ci=False,
        )
    folder = tmp_path_factory.mktemp("redmine")
    log, port = folder / "server.log", free_port()
    redmine = Redmine(host=f"localhost:{port}", api_key=secrets.token_hex(20))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PORT": str(port),
        "FOLDER": str(folder),
        "API_KEY": redmine.api_key,
    }
    server = str(REDMINE_FOR_TESTS / "server.rb")
    with running("ruby", server, log=log, folder=folder, environment=environment) as process:
        wait_for_line("ready", log, process)
        yield redmine


@pytest.fixture
def connection(redmine, settings, create_connection) -> Connection:
    settings.ALLOWED_PRIVATE_HOSTS = [redmine.host]
    return create_connection("redmine", scheme="http", host=redmine.host)


@pytest.fixture
def authorized(connection, redmine, developer_client) -> ConnectionState:
    """Authorize with the administrator's key and return the state of the connection."""
    status, page = authorize(developer_client, connection, redmine.api_key)
    assert status == 200, page
    return state_of(connection)


def authorize(client: Client, connection: Connection, api_key: str) -> tuple[int, str]:
    """Authorize with an API key; return the status and the text of the page."""
    answer = client.post(
        reverse("connection_authorize", args=[connection.pk]), {"api_key": api_key}, follow=True
    )
    return answer.status_code, answer.content.decode()


def test_it_authorizes_as_the_user_whose_key_it_is(connection, redmine, developer_client) -> None:
    status, page = authorize(developer_client, connection, redmine.api_key)
    assert status == 200
    assert "Authorized as admin" in page
    authorization = Authorization.objects.get(connection=connection)
    tested = developer_client.post(
        reverse("authorization_test", args=[authorization.pk]), follow=True
    )
    assert "It works: Redmine answered as admin." in tested.content.decode()


def test_it_keeps_nothing_when_the_key_is_wrong(connection, developer_client) -> None:
    status, page = authorize(developer_client, connection, secrets.token_hex(20))
    assert status == 422
    assert "Redmine refused this key. Nothing was changed." in page
    assert not Credential.objects.exists()


def test_it_writes_and_reads_through_the_connection(authorized) -> None:
    project = {"name": "Field Service", "identifier": "field-service"}
    written = invoke(
        ServiceRequest(method="POST", path="/projects.json", body={"project": project}), authorized
    )
    assert (written.status, written.problem) == (201, "")

    read = invoke(get("/projects.json", query={"limit": 5}), authorized)

    assert (read.status, read.problem) == (200, "")
    assert [found["identifier"] for found in read.answer["projects"]] == ["field-service"]


def test_it_does_not_show_the_key_that_the_answer_repeats(authorized, redmine) -> None:
    exchange = invoke(get("/users/current.json"), authorized)
    assert exchange.answer["user"]["login"] == "admin"
    assert redmine.api_key not in repr(exchange)


@pytest.fixture
def carol(redmine) -> dict[str, Any]:
    """A user of Redmine that a test may lock."""
    name, password = f"carol-{secrets.token_hex(4)}", secrets.token_urlsafe(16)
    names = {"login": name, "firstname": "Carol", "lastname": "Jones"}
    return redmine.ask(
        "POST", "/users.json", **names, mail=f"{name}@example.com", password=password
    )


def test_it_notices_that_the_account_was_locked(
    connection, redmine, carol, developer_client
) -> None:
    _, page = authorize(developer_client, connection, carol["api_key"])
    assert f"Authorized as {carol['login']}" in page

    redmine.ask("PUT", f"/users/{carol['id']}.json", status=LOCKED)
    exchange = invoke(get("/users/current.json"), state_of(connection))

    assert "Redmine refused this key." in exchange.problem
    assert exchange.authorize_url
    authorization = Authorization.objects.get(connection=connection)
    assert authorization.state == Authorization.State.NEEDS_AUTHORIZATION
