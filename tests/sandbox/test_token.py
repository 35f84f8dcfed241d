from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.sandbox.visitors import (
    CLIENT_ID,
    CLIENT_SECRET,
    REDIRECT_URI,
    VERIFIER,
    Application,
    Browser,
)
from tests.servers import SandboxServer, sandbox_server


def test_it_works(alice: Browser, application: Application) -> None:
    tokens = application.tokens(alice, "profile.read contacts.read")
    assert tokens["token_type"] == "Bearer"
    assert tokens["expires_in"] == 300
    assert tokens["scope"] == "profile.read contacts.read"
    assert application.call("/api/me", tokens["access_token"]).json()["user_name"] == "alice"


def test_it_accepts_the_secret_in_the_form(alice: Browser, application: Application) -> None:
    form = {
        "grant_type": "authorization_code",
        "code": alice.allow(application.authorize_path())["code"],
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }
    answer = requests.post(application.url + "/oauth/token/", data=form, timeout=10)
    assert answer.status_code == 200, answer.text


def test_a_public_client_needs_no_secret(sandbox: SandboxServer, alice: Browser) -> None:
    sandbox.register("phone", REDIRECT_URI)
    phone = Application(url=sandbox.url, client_id="phone", secret="")
    code = alice.allow(phone.authorize_path())["code"]
    answer = phone.exchange(code, client_id="phone")
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:5999/other"}, "invalid_request"),
        ({"code": "guessed"}, "invalid_grant"),
        ({"code": "\0"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}, "unsupported_grant_type"),
    ],
)
def test_it_refuses_an_invalid_request(
    alice: Browser, application: Application, changed: dict[str, str], error: str
) -> None:
    code = alice.allow(application.authorize_path())["code"]
    answer = application.exchange(**{"code": code} | changed)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


def test_a_code_works_once(alice: Browser, application: Application) -> None:
    code = alice.allow(application.authorize_path())["code"]
    assert application.exchange(code).status_code == 200
    assert application.exchange(code).json()["error"] == "invalid_grant"


def test_it_refuses_a_wrong_secret(alice: Browser, application: Application) -> None:
    code = alice.allow(application.authorize_path())["code"]
    impostor = Application(url=application.url, secret="wrong")
    answer = impostor.exchange(code)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_refresh_tokens_rotate(alice: Browser, application: Application) -> None:
    first = application.tokens(alice)
    second = application.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert application.call("/api/me", first["access_token"]).status_code == 401
    assert application.call("/api/me", second["access_token"]).status_code == 200


def test_reuse_revokes_the_family(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    first = application.tokens(alice)
    second = application.refresh(first["refresh_token"]).json()
    answer = application.refresh(first["refresh_token"])
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert application.call("/api/me", second["access_token"]).status_code == 401
    assert application.refresh(second["refresh_token"]).json()["error"] == "invalid_grant"
    assert sandbox.counts()["reuse"] == 1


def test_within_the_reuse_window_it_repeats_the_response(tmp_path: Path) -> None:
    with sandbox_server(tmp_path, SANDBOX_REUSE_SECONDS="60") as sandbox:
        sandbox.register(CLIENT_ID, REDIRECT_URI, secret=CLIENT_SECRET)
        application = Application(url=sandbox.url)
        alice = Browser(url=sandbox.url)
        alice.sign_in("alice", sandbox.demo_password)
        first = application.tokens(alice)
        second, again = (application.refresh(first["refresh_token"]).json() for _ in range(2))
        assert (again["access_token"], again["refresh_token"]) == (
            second["access_token"],
            second["refresh_token"],
        )
        assert application.call("/api/me", again["access_token"]).status_code == 200
        assert application.refresh(again["refresh_token"]).status_code == 200
        # After two more rotations, the response is no longer repeated.
        assert application.refresh(first["refresh_token"]).json()["error"] == "invalid_grant"
        assert sandbox.counts()["reuse"] == 1


def test_one_of_many_concurrent_refreshes_succeeds(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    token = application.tokens(alice)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(application.refresh, [token] * 8))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert sandbox.counts()["reuse"] == 7


def test_an_access_token_expires(tmp_path: Path) -> None:
    with sandbox_server(tmp_path, SANDBOX_TOKEN_SECONDS="1") as sandbox:
        sandbox.register(CLIENT_ID, REDIRECT_URI, secret=CLIENT_SECRET)
        application = Application(url=sandbox.url)
        alice = Browser(url=sandbox.url)
        alice.sign_in("alice", sandbox.demo_password)
        tokens = application.tokens(alice)
        assert tokens["expires_in"] == 1
        time.sleep(1.1)
        assert application.call("/api/me", tokens["access_token"]).status_code == 401
        assert application.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    "request_parts",
    [
        {"data": {}},
        {"data": b"\xff\xfe\x00", "headers": {"Content-Type": "text/plain"}},
        {"data": "a=%zz&b=%", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        {"data": {"grant_type": "refresh_token"}, "headers": {"Authorization": "Basic \xe9"}},
        {"data": {"grant_type": "refresh_token"}, "headers": {"Authorization": "Basic !!!"}},
        {"data": {"grant_type": ["refresh_token", "refresh_token"]}},
        {"data": {"grant_type": "refresh_token", "refresh_token": "x" * 100_000}},
        {"data": {"grant_type": "authorization_code"}, "params": "a=%zz"},
        {"data": {"client_id": "\0", "grant_type": "refresh_token", "refresh_token": "\0"}},
    ],
)
@pytest.mark.parametrize("path", ["/oauth/token/", "/oauth/revoke/"])
def test_invalid_input_gets_an_oauth_error(
    sandbox: SandboxServer, path: str, request_parts: dict
) -> None:
    answer = requests.post(sandbox.url + path, timeout=10, **request_parts)
    assert 400 <= answer.status_code < 500
    assert answer.json()["error"]


def test_it_rejects_get(sandbox: SandboxServer) -> None:
    assert requests.get(sandbox.url + "/oauth/token/", timeout=10).status_code == 405
