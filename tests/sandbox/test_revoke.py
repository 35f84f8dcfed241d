from __future__ import annotations

from tests.sandbox.visitors import REDIRECT_URI, Application, Browser
from tests.servers import SandboxServer


def test_a_refresh_token_takes_its_access_token_along(
    alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    assert application.revoke(tokens["refresh_token"]).status_code == 200
    assert application.call("/api/me", tokens["access_token"]).status_code == 401
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_access_token_takes_its_refresh_token_along(
    alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    assert application.revoke(tokens["access_token"]).status_code == 200
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_withdrawn_token_does_not_count_as_reuse(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    application.revoke(tokens["refresh_token"])
    application.refresh(tokens["refresh_token"])
    assert sandbox.counts()["reuse"] == 0


def test_it_leaves_the_tokens_of_others(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    sandbox.register("stranger", REDIRECT_URI, secret="of-the-stranger")
    stranger = Application(url=sandbox.url, client_id="stranger", secret="of-the-stranger")
    assert stranger.revoke(tokens["refresh_token"]).status_code == 200
    assert application.call("/api/me", tokens["access_token"]).status_code == 200


def test_an_unknown_token_is_no_error(application: Application) -> None:
    assert application.revoke("never-seen").status_code == 200
