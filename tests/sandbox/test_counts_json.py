from __future__ import annotations

from tests.sandbox.visitors import Application, Browser
from tests.servers import SandboxServer


def test_it_counts_requests(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    tokens = application.tokens(alice)
    application.call("/api/me", tokens["access_token"])
    application.call("/api/me", "wrong")
    application.revoke(tokens["access_token"])
    assert sandbox.counts() == {
        "token": 1,
        "revoke": 1,
        "api": 2,
        "authorize": 2,  # the page and its form
        "reuse": 0,
        "elsewhere": 0,
    }


def test_counts_can_be_reset(sandbox: SandboxServer, application: Application) -> None:
    application.refresh("any")
    sandbox.reset()
    assert set(sandbox.counts().values()) == {0}


def test_failures_on_purpose_are_counted_too(
    sandbox: SandboxServer, application: Application
) -> None:
    sandbox.switches(token="500")
    application.refresh("any")
    assert sandbox.counts()["token"] == 1
