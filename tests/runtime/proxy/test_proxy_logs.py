"""Nothing secret is logged, however much is (security.md K7), and every call has a name."""

from __future__ import annotations

import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from connections.calls.call_preparation import CallPreparation
from connections.models import Authorization, Credential
from console.gateway import routes
from tests.connections.conftest import (  # noqa: F401
    CLIENT_SECRET,
    alice,
    oauth_client,
    running,
    sandbox,
)
from tests.connections.flow_steps import allow, begin
from tests.monitoring.log_capture import leaked, written


@pytest.mark.parametrize("form", ["json", "line"])
def test_no_secret_is_logged(
    form,
    connect,
    developer_client,
    client,
    developer,
    alice,  # noqa: F811
    sandbox,  # noqa: F811
    oauth_client,  # noqa: F811
    program,
    new_program,
    settings,
):
    settings.METRICS_TOKEN = "canary-of-the-metrics-0123456789"
    connection = connect(name="Customers", link_name="customers")
    secrets = {
        "key": program.key,
        "client secret": CLIENT_SECRET,
        "query": "canary-in-the-query/0123+456",
        "body": "canary-in-the-body-0123456789",
        "header": "canary-in-a-header-0123456789",
        "password": "canary-password-0123456789",
        "wrong key": "ck_dev_canary-of-a-wrong-key-012345",
        "metrics": settings.METRICS_TOKEN,
        "reset": "canary-of-a-reset-0123456789",
        "forged state": "canary-of-a-state-0123456789",
    }
    with written(form) as log:
        for mode in ("500", "html", "ok"):
            sandbox.switches(token=mode)
            callback = allow(alice, begin(developer_client, connection))
            query = parse_qs(urlsplit(callback).query)
            secrets |= {f"{name} ({mode})": query[name][0] for name in ("code", "state")}
            developer_client.get(callback)
            developer_client.get(callback)  # once more
            client.get(callback)  # by somebody else
        secrets |= _of(Authorization.objects.get().credential)
        call = {
            "query": f"q={secrets['query']}",
            "body": secrets["body"].encode(),
            "headers": {"X-Canary": secrets["header"]},
        }
        for mode in ("ok", "500", "revoked", "html"):
            sandbox.switches(api=mode)
            program.call("POST", "customers", **call)
        secrets |= {f"{name} (renewed)": value for name, value in _of(_credential()).items()}
        sandbox.switches(api="ok")
        program.get("nowhere", f"/{'../' * 3}", **call)
        settings.ALLOWED_PRIVATE_HOSTS = []
        program.get("customers", **call)
        new_program(secrets["wrong key"]).get("customers", **call)
        client.get(f"/api/v1/connections/?key={secrets['wrong key']}")
        client.post(
            reverse("account_login"), {"login": developer.email, "password": secrets["password"]}
        )
        client.get(reverse("account_reset_password_from_key", args=["1", secrets["reset"]]))
        client.get(reverse("oauth_callback", args=["sandbox"]), {"state": secrets["forged state"]})
        client.get(
            reverse("metrics"), headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}x"}
        )
        told = log()
        assert leaked(told, secrets) == []
        assert len(told.splitlines()) > 10  # it was no silence
        # The control: the same log with one of them in it.
        logging.getLogger("console").debug("Asked with %s", _credential().secret.reveal())
        assert leaked(log(), secrets) != []


def _credential() -> Credential:
    return Authorization.objects.get().credential


def _of(credential: Credential) -> dict[str, str]:
    return dict(credential.secret.reveal())


def test_the_program_learns_the_name_of_its_call(upstream, program, keyed):
    upstream.answers(b"{}")
    answer = program.get("orders")
    assert len(answer.all("X-Request-Id")[0]) == 32
    assert answer.all("Console-Request-Id") == answer.all("X-Request-Id")
    problem = program.get("nowhere")
    assert problem.problem == "connection-not-found"
    assert problem.all("Console-Request-Id") == problem.all("X-Request-Id")
    assert problem.all("X-Request-Id") != answer.all("X-Request-Id")


def test_a_name_that_the_service_gave_is_the_services(upstream, program, keyed):
    upstream.answers(b"{}", X_Request_Id="of-the-service")
    answer = program.get("orders")
    assert answer.all("X-Request-Id") == ["of-the-service"]
    assert len(answer.all("Console-Request-Id")[0]) == 32


def test_a_name_that_came_along_counts_behind_a_proxy(upstream, program, keyed, settings):
    given = {"headers": {"X-Request-Id": "of-the-proxy-1"}}
    assert program.get("orders", **given).all("Console-Request-Id") != ["of-the-proxy-1"]
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answer = program.get("orders", **given)
    if program.differs("`X-Request-Id` of a proxy in front"):
        assert answer.is_by_nginx
    else:
        assert answer.all("Console-Request-Id") == ["of-the-proxy-1"]


def test_an_unexpected_error_is_logged_with_the_request_id(program, keyed, monkeypatch):
    """The log line of an unexpected error has the request ID of the response."""

    async def fail(*args):
        raise RuntimeError("of a test")

    monkeypatch.setattr(CallPreparation, "call", fail)
    monkeypatch.setattr(routes, "prepare_call", lambda *_: 1 / 0)  # what nginx asks for
    with written("json") as log:
        answer = program.get("orders")
        lines = [json.loads(each) for each in log().splitlines()]
    assert answer.problem == "internal-error"
    (line,) = [each for each in lines if [each["request_id"]] == answer.all("X-Request-Id")]
    assert "of a test" in line["exception"]
