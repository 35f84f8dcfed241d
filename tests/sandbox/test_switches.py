from __future__ import annotations

import pytest

from tests.sandbox.visitors import Browser
from tests.servers import SandboxServer

FORM = {
    "token": "ok",
    "api": "ok",
    "authorize": "ok",
    "revoke": "ok",
    "slow_seconds": "15",
    "expires_in": "",
}


def test_it_requires_sign_in(sandbox: SandboxServer) -> None:
    answer = Browser(url=sandbox.url).open("/switches/")
    assert answer.headers["Location"] == "/sign-in/?next=/switches/"


def test_it_sets_switches(sandbox: SandboxServer, alice: Browser) -> None:
    page = alice.open("/switches/")
    data = FORM | {"token": "500", "expires_in": '"soon"', "omit_iss": "on"}
    assert alice.submit(page, **data).status_code == 302
    current = sandbox.switches()
    assert (current["token"], current["expires_in"], current["omit_iss"]) == (
        "500",
        "soon",
        True,
    )
    page = alice.open("/switches/").text
    assert "The switches were saved." in page
    assert "The service currently fails on purpose." in page
    assert 'value="&quot;soon&quot;"' in page


def test_it_resets_switches(sandbox: SandboxServer, alice: Browser) -> None:
    sandbox.switches(token="500")
    page = alice.open("/switches/")
    assert alice.submit(page, "/switches/reset/").status_code == 302
    assert sandbox.switches()["token"] == "ok"


@pytest.mark.parametrize(
    "data",
    [
        {"token": "explode"},
        {"slow_seconds": "NaN"},
        {"slow_seconds": "1e400"},
        {"expires_in": "not json"},
        {"expires_in": "\0"},
        {"expires_in": "9" * 100_000},
    ],
)
def test_it_refuses_invalid_values(
    sandbox: SandboxServer, alice: Browser, data: dict[str, str]
) -> None:
    before = sandbox.switches()
    answer = alice.submit(alice.open("/switches/"), **FORM | data)
    assert answer.status_code == 422
    assert "Nothing was changed" in answer.text
    assert sandbox.switches() == before
