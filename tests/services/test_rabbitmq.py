"""User name and password with a real broker: RabbitMQ's management API."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.test import Client
from django.urls import reverse

from connections.authorizations.connection_state import ConnectionState
from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import invoke
from connections.models import Authorization, Connection, Credential
from tests.connections.call_helpers import get, state_of
from tests.servers import free_port, unavailable
from tests.setup import RABBITMQ, rabbitmq_is_there

TIMEOUT_SECONDS = 60


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[str]:
    """Run a broker with the management plugin and return its host and port."""
    if not rabbitmq_is_there():
        unavailable(
            "rabbitmq-server is not installed: it needs apt-get and root (tests/setup.py)",
            wanted_in_ci=False,
        )
    folder = tmp_path_factory.mktemp("rabbitmq")
    management, names = free_port(), free_port()
    environment = _environment(folder, management, names)
    log = folder / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [RABBITMQ],
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,  # the script's children have to end with it
        )
    try:
        _wait_for(f"http://127.0.0.1:{management}/api/whoami", process, log)
        yield f"localhost:{management}"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(TIMEOUT_SECONDS)
        _end_name_server(environment)


def _environment(folder: Path, management: int, names: int) -> dict[str, str]:
    (folder / "enabled_plugins").write_text("[rabbitmq_management].\n")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 127.0.0.1:{free_port()}\n"
        "management.tcp.ip = 127.0.0.1\n"
        f"management.tcp.port = {management}\n"
    )
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(names),
        "RABBITMQ_NODENAME": "console-tests@localhost",
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
    }


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if requests.get(url, auth=("guest", "guest"), timeout=2).ok:
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise RuntimeError(f"The broker did not start:\n{log.read_text()}")


def _end_name_server(environment: dict[str, str]) -> None:
    """Stop Erlang's name server, which refuses until it has noticed that the broker ended."""
    for _ in range(50):
        ended = subprocess.run(["epmd", "-kill"], env=environment, capture_output=True, check=False)
        if ended.returncode == 0:
            return
        time.sleep(0.1)


@pytest.fixture
def connection(broker, settings, create_connection) -> Connection:
    settings.ALLOWED_PRIVATE_HOSTS = [broker]
    return create_connection("rabbitmq_management", scheme="http", host=broker)


def authorize(
    client: Client, connection: Connection, password: str, username: str = "guest"
) -> tuple[int, str]:
    """Authorize with a password; return the status and the text of the page."""
    answer = client.post(
        reverse("connection_authorize", args=[connection.pk]),
        {"username": username, "password": password},
        follow=True,
    )
    return answer.status_code, answer.content.decode()


def test_it_authorizes_as_the_user_of_the_broker(connection, developer_client) -> None:
    status, page = authorize(developer_client, connection, "guest")
    assert status == 200
    assert "Authorized as guest" in page
    authorization = Authorization.objects.get(connection=connection)
    tested = developer_client.post(
        reverse("authorization_test", args=[authorization.pk]), follow=True
    )
    assert "It works: RabbitMQ Management answered as guest." in tested.content.decode()


@pytest.fixture
def authorized(connection, developer_client) -> ConnectionState:
    """Authorize with the guest's password and return the state of the connection."""
    status, page = authorize(developer_client, connection, "guest")
    assert status == 200, page
    return state_of(connection)


def test_it_writes_and_reads_through_the_connection(authorized) -> None:
    queue = "/queues/%2F/orders"  # the virtual host "/", percent-encoded, is one segment
    made = invoke(
        ServiceRequest(method="PUT", path=queue, body={"auto_delete": False, "durable": True}),
        authorized,
    )
    assert (made.status, made.problem) == (201, "")

    read = invoke(get(queue), authorized)

    assert (read.status, read.problem) == (200, "")
    assert (read.answer["name"], read.answer["vhost"]) == ("orders", "/")


def test_it_returns_the_error_of_the_broker(authorized) -> None:
    exchange = invoke(get("/queues/%2F/nobody-made-this"), authorized)
    assert (exchange.status, exchange.problem, exchange.has_failed) == (404, "", True)
    assert exchange.answer["reason"] == "Not Found"


def test_it_notices_in_a_call_that_the_password_was_changed(
    broker, connection, developer_client
) -> None:
    account = f"http://{broker}/api/users/carol"
    with requests.Session() as administrator:
        administrator.auth = ("guest", "guest")
        person = {"password": "the-first-1", "tags": "management"}
        administrator.put(account, json=person, timeout=10).raise_for_status()
        status, page = authorize(developer_client, connection, "the-first-1", username="carol")
        assert status == 200, page
        person["password"] = "the-second-2"
        administrator.put(account, json=person, timeout=10).raise_for_status()

    exchange = invoke(get("/whoami"), state_of(connection))

    assert "RabbitMQ Management refused this user name and password." in exchange.problem
    assert exchange.authorize_url
    authorization = Authorization.objects.get(connection=connection)
    assert authorization.state == Authorization.State.NEEDS_AUTHORIZATION


def test_it_keeps_nothing_when_the_password_is_wrong(connection, developer_client) -> None:
    status, page = authorize(developer_client, connection, "wrong-password-1")
    assert status == 422
    assert "RabbitMQ Management refused this user name and password. Nothing was changed." in page
    assert "wrong-password-1" not in page
    assert not Credential.objects.exists()
    assert not Authorization.objects.exists()


@pytest.mark.parametrize(
    ("scheme", "sentence"),
    [("http", "does not begin with https://"), ("https", "leads to a private network")],
)
def test_it_does_not_call_a_private_host_that_nobody_allowed(
    broker, create_connection, developer_client, scheme, sentence
) -> None:
    connection = create_connection("rabbitmq_management", scheme=scheme, host=broker)
    status, page = authorize(developer_client, connection, "guest")
    assert status == 422
    assert sentence in page
    assert "Nothing was changed." in page
    assert not Credential.objects.exists()
