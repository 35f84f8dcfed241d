from __future__ import annotations

import pytest

from tests.sandbox.visitors import Application, Browser, redirect_parameters
from tests.servers import SandboxServer


def test_it_requires_sign_in(sandbox: SandboxServer, application: Application) -> None:
    answer = Browser(url=sandbox.url).open(application.authorize_path())
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/?next=/oauth/authorize/")


def test_it_shows_the_application_and_its_permissions(
    alice: Browser, application: Application
) -> None:
    page = alice.open(application.authorize_path("profile.read contacts.write"))
    assert page.status_code == 200
    assert "Postcards asks for access" in page.text
    assert "See your name and e-mail address" in page.text
    assert "Add and change contacts" in page.text
    assert "Place orders" not in page.text
    assert ">Allow</button>" in page.text
    assert ">Deny</button>" in page.text


def test_the_policy_does_not_restrict_the_redirect_after_the_form(
    alice: Browser, application: Application
) -> None:
    policy = alice.open(application.authorize_path()).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy


def test_it_returns_a_code_with_state_and_issuer(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    answer = alice.allow(application.authorize_path())
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == "xyz"
    assert answer["iss"] == sandbox.url


def test_it_asks_for_consent_each_time(alice: Browser, application: Application) -> None:
    application.tokens(alice)
    assert "asks for access" in alice.open(application.authorize_path()).text


def test_denying_returns_an_error_to_the_application(
    sandbox: SandboxServer, alice: Browser, application: Application
) -> None:
    answer = redirect_parameters(alice.submit(alice.open(application.authorize_path())))
    assert answer["error"] == "access_denied"
    assert answer["state"] == "xyz"
    assert answer["iss"] == sandbox.url


def test_signing_out_returns_to_the_consent_page(alice: Browser, application: Application) -> None:
    page = alice.open(application.authorize_path())
    answer = alice.submit(page, "/sign-out/")
    assert answer.headers["Location"] == application.authorize_path()
    assert alice.open(application.authorize_path()).headers["Location"].startswith("/sign-in/")


@pytest.mark.parametrize(
    "changed",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"response_type": "token"},
        {"scope": "everything"},
    ],
)
def test_it_returns_an_error_to_the_application(
    alice: Browser, application: Application, changed: dict[str, str | None]
) -> None:
    answer = redirect_parameters(alice.open(application.authorize_path(**changed)))
    assert answer["error"] in {"invalid_request", "unsupported_response_type", "invalid_scope"}
    assert answer["state"] == "xyz"


def test_it_refuses_the_plain_challenge_method(alice: Browser, application: Application) -> None:
    page = alice.open(application.authorize_path(code_challenge_method="plain"))
    assert redirect_parameters(alice.submit(page, allow="true"))["error"] == "invalid_request"


@pytest.mark.parametrize(
    "changed",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"client_id": "\0"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:5999/callback/more"},
        {"redirect_uri": "javascript:alert(1)"},
    ],
)
def test_it_does_not_redirect_to_unregistered_uris(
    alice: Browser, application: Application, changed: dict[str, str | None]
) -> None:
    answer = alice.open(application.authorize_path(**changed))
    assert answer.status_code == 400
    assert "This request for access is not valid" in answer.text


@pytest.mark.parametrize(
    "data",
    [
        {"client_id": "nobody"},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/"},
        {"scope": "\0"},
        {"response_type": "nonsense"},
        {"claims": "{"},
        {"resource": "\0 not-a-uri"},
    ],
)
def test_it_refuses_a_tampered_form(
    alice: Browser, application: Application, data: dict[str, str]
) -> None:
    page = alice.open(application.authorize_path())
    answer = alice.submit(page, allow="true", **data)
    assert answer.status_code in {302, 400}
    if answer.status_code == 302:
        assert redirect_parameters(answer)
