from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from tests.sandbox.visitors import Application, Browser, redirect_parameters
from tests.servers import SandboxServer

DEFAULTS = {
    "token": "ok",
    "api": "ok",
    "authorize": "ok",
    "revoke": "ok",
    "slow_seconds": 15,
    "expires_in": None,
    "withhold_refresh_token": False,
    "grant_fewer_scopes": False,
    "omit_iss": False,
    "wrong_iss": False,
}


def test_put_keeps_other_switches_and_delete_resets_all(sandbox: SandboxServer) -> None:
    sandbox.switches(token="500", omit_iss=True)
    assert sandbox.switches(api="slow") == DEFAULTS | {
        "token": "500",
        "api": "slow",
        "omit_iss": True,
    }
    answer = requests.delete(sandbox.url + "/switches.json", timeout=10)
    assert answer.json() == DEFAULTS


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"token": "explode"}, 422),
        ({"revoke": "revoked"}, 422),
        ({"slow_seconds": 1e9}, 422),
        ({"slow_seconds": -1}, 422),
        ({"slow_seconds": "soon"}, 422),
        ({"expires_in": "x" * 500}, 422),
        ({"nonsense": 1}, 400),
        ([], 400),
        (None, 400),
    ],
)
def test_it_refuses_invalid_values(sandbox: SandboxServer, sent: Any, status: int) -> None:
    answer = requests.put(sandbox.url + "/switches.json", json=sent, timeout=10)
    assert answer.status_code == (415 if sent is None else status)
    assert answer.json()["error"]
    assert requests.get(sandbox.url + "/switches.json", timeout=10).json() == DEFAULTS


def test_it_requires_json_so_that_other_sites_cannot_use_it(sandbox: SandboxServer) -> None:
    answer = requests.put(
        sandbox.url + "/switches.json",
        data='{"token": "500"}',
        headers={"Content-Type": "text/plain"},
        timeout=10,
    )
    assert answer.status_code == 415
    assert requests.post(sandbox.url + "/switches.json", json={}, timeout=10).status_code == 405


def test_it_refuses_other_host_names(sandbox: SandboxServer) -> None:
    headers = {"Host": "rebound.example"}
    answer = requests.get(sandbox.url + "/switches.json", headers=headers, timeout=10)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("mode", "status", "content_type"),
    [
        ("500", 500, "text/html; charset=utf-8"),
        ("html", 200, "text/html; charset=utf-8"),
        ("empty", 200, "application/json"),
        ("redirect", 302, "text/html; charset=utf-8"),
    ],
)
@pytest.mark.parametrize("endpoint", ["token", "revoke", "api", "authorize"])
def test_an_endpoint_fails_as_switched(
    sandbox: SandboxServer,
    alice: Browser,
    application: Application,
    endpoint: str,
    mode: str,
    status: int,
    content_type: str,
) -> None:
    sandbox.switches(**{endpoint: mode})
    send = {
        "token": lambda: application.refresh("any"),
        "revoke": lambda: application.revoke("any"),
        "api": lambda: application.call("/api/me", "any"),
        "authorize": lambda: alice.open(application.authorize_path()),
    }
    answer = send[endpoint]()
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == content_type
    if mode == "empty":
        assert answer.content == b""
    if mode == "redirect":
        assert answer.headers["Location"].startswith("http://127.0.0.1:")


def test_clients_that_follow_the_redirect_are_counted(sandbox: SandboxServer) -> None:
    sandbox.switches(api="redirect")
    answer = requests.get(sandbox.url + "/api/me", timeout=10)
    assert answer.url.endswith("/elsewhere")
    assert sandbox.counts()["elsewhere"] == 1


def test_a_late_response_comes_after_the_work(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    sandbox.switches(token="slow", slow_seconds=1)
    began = time.monotonic()
    fresh = application.refresh(tokens["refresh_token"]).json()
    assert time.monotonic() - began >= 1
    assert application.call("/api/me", fresh["access_token"]).status_code == 200


def test_the_token_endpoint_can_report_a_withdrawn_grant(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    sandbox.switches(token="revoked")
    answer = application.refresh(tokens["refresh_token"])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    sandbox.switches(token="ok")
    assert application.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("path", "challenge"),
    [
        ("/api/me", 'Bearer realm="Sandbox", error="invalid_token"'),
        ("/basic/api/me", 'Basic realm="Sandbox", charset="UTF-8"'),
        ("/key/api/me", 'ApiKey realm="Sandbox", header="X-Api-Key"'),
    ],
)
def test_the_api_can_report_a_withdrawn_credential(
    sandbox: SandboxServer, path: str, challenge: str
) -> None:
    sandbox.switches(api="revoked")
    answer = requests.get(sandbox.url + path, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == challenge


@pytest.mark.parametrize("value", [0, -1, "soon", "", [1], {"a": 1}, 10**30, 1.5, True])
def test_expires_in_is_sent_as_set(
    sandbox: SandboxServer, alice: Browser, application: Application, value: Any
) -> None:
    assert sandbox.switches(expires_in=value)["expires_in"] == value
    assert application.tokens(alice)["expires_in"] == value


def test_expires_in_can_be_absent(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    sandbox.switches(expires_in="absent")
    assert "expires_in" not in application.tokens(alice)


def test_refresh_tokens_can_be_withheld(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    sandbox.switches(withhold_refresh_token=True)
    assert "refresh_token" not in application.tokens(alice)
    for _ in range(2):  # the old one stays good, as with services that do not rotate
        answer = application.refresh(tokens["refresh_token"])
        assert answer.status_code == 200
        assert "refresh_token" not in answer.json()
    assert sandbox.counts()["reuse"] == 0


def test_fewer_scopes_can_be_granted(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    sandbox.switches(grant_fewer_scopes=True)
    tokens = application.tokens(alice, "profile.read contacts.read")
    assert tokens["scope"] == "profile.read"
    assert application.call("/api/contacts", tokens["access_token"]).status_code == 403


def test_the_issuer_can_be_absent_or_wrong(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    sandbox.switches(omit_iss=True)
    assert "iss" not in alice.allow(application.authorize_path())
    sandbox.switches(omit_iss=False, wrong_iss=True)
    assert alice.allow(application.authorize_path())["iss"] == "https://somebody-else.example"
    refused = redirect_parameters(alice.submit(alice.open(application.authorize_path())))
    assert refused["iss"] == "https://somebody-else.example"
