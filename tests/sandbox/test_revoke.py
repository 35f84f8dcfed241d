from __future__ import annotations

from tests.sandbox.visitors import REDIRECT_URI, Application, Browser
from tests.servers import SandboxServer


def test_revoking_a_refresh_token_revokes_its_access_token(
    alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    assert application.revoke(tokens["refresh_token"]).status_code == 200
    assert application.call("/api/me", tokens["access_token"]).status_code == 401
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_revoking_an_access_token_revokes_its_refresh_token(
    alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    assert application.revoke(tokens["access_token"]).status_code == 200
    assert application.refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_using_a_revoked_token_is_not_counted_as_reuse(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    application.revoke(tokens["refresh_token"])
    application.refresh(tokens["refresh_token"])
    assert sandbox.counts()["reuse"] == 0


def test_it_does_not_revoke_tokens_of_other_clients(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    sandbox.register("stranger", REDIRECT_URI, secret="of-the-stranger")
    stranger = Application(url=sandbox.url, client_id="stranger", secret="of-the-stranger")
    assert stranger.revoke(tokens["refresh_token"]).status_code == 200
    assert application.call("/api/me", tokens["access_token"]).status_code == 200


def test_an_unknown_token_is_not_an_error(application: Application) -> None:
    assert application.revoke("never-seen").status_code == 200
