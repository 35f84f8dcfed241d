from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.api.check_call import Account, check
from connectors.definitions.schema import (
    ApiKeyAuth,
    BasicAuth,
    Check,
    Connector,
    CredentialField,
    OAuth2Auth,
    Signing,
)
from connectors.errors import (
    CredentialRefused,
    ServiceError,
    ServiceForbidden,
    ServiceRefused,
    ServiceUnintelligible,
    ServiceUnreachable,
)
from tests.connectors.conftest import example_connector

SECRET = {"account_sid": "AC1", "auth_token": "hunter2-hunter2"}
TWILIO = BasicAuth(
    fields=(
        CredentialField(name="account_sid", label="Account SID", secret=False),
        CredentialField(name="auth_token", label="Auth token"),
    ),
    signing=Signing(basic_user="{account_sid}", basic_password="{auth_token}"),
)


@pytest.fixture
def connector(service) -> Connector:
    return example_connector(
        api_base_url=f"{service.url}/v1",
        api_headers={"X-Version": "{version}"},
        check=Check(
            path="/Accounts/{account_sid}.json",
            headers={"X-Check": "yes"},
            account=("owner.email", "users.0.name"),
            account_id=("id",),
        ),
        oauth2=OAuth2Auth(
            authorization_endpoint="https://example.com/a", token_endpoint="https://example.com/t"
        ),
        basic=TWILIO,
        api_key=ApiKeyAuth(
            fields=(CredentialField(name="key", label="Key"),),
            signing=Signing(query="key", value="{key}"),
        ),
    )


VALUES = {"version": "7"}


def test_it_works(service, connector) -> None:
    service.answers({"id": 42, "owner": {"email": "alice@example.com"}})

    account = check(connector, "basic", secret=SECRET, values=VALUES)

    assert account == Account(label="alice@example.com", identifier="42")
    request = service.only
    assert (request.method, request.path) == ("GET", "/v1/Accounts/AC1.json")
    assert request.all("Authorization") == ["Basic QUMxOmh1bnRlcjItaHVudGVyMg=="]
    assert request.all("X-Version") == ["7"]
    assert request.all("X-Check") == ["yes"]
    assert request.all("Accept") == ["application/json"]


def test_it_signs_with_a_token_and_with_a_key(service, connector) -> None:
    connector = replace(connector, check=Check(path="me", account=("name",)))
    service.answers({"name": "Alice"})

    check(connector, "oauth2", secret={"access_token": "t-1"}, values=VALUES)
    check(connector, "api_key", secret={"key": "k&1"}, values=VALUES)

    assert service.asked[0].all("Authorization") == ["Bearer t-1"]
    assert service.asked[1].query == {"key": ["k&1"]}
    assert service.asked[1].all("Authorization") == []


def test_it_sends_the_body_unchanged(service, connector) -> None:
    query = '{"query": "{viewer{login}}"}'
    look = Check(method="POST", url=f"{service.url}/graphql", body=query, account=("a",))

    check(replace(connector, check=look), "basic", secret=SECRET, values=VALUES)

    assert (service.only.method, service.only.path) == ("POST", "/graphql")
    assert service.only.body.decode() == query
    assert service.only.all("Content-Type") == ["application/json"]


def test_secret_fields_cannot_be_in_the_url(service, connector) -> None:
    look = replace(connector, check=Check(path="/{auth_token}"))

    with pytest.raises(ServiceForbidden, match="“auth_token”"):
        check(look, "basic", secret=SECRET, values=VALUES)
    assert service.asked == []


@pytest.mark.parametrize(
    ("document", "label", "identifier"),
    [
        ({"users": [{"name": "Bob"}]}, "Bob", ""),
        ({"owner": {"email": ""}, "users": [{"name": "Bob"}]}, "Bob", ""),
        ({"owner": {"email": "a\u202e\r\nb"}}, "a b", ""),
        ({"owner": {"email": "x" * 500}, "id": "y" * 500}, "x" * 99 + "…", "y" * 199 + "…"),
        ({"owner": {"email": {"nested": 1}}, "id": [1]}, "", ""),
        ({"owner": {"email": True}, "id": None}, "", ""),
        ({}, "", ""),
        ([], "", ""),
    ],
)
def test_it_makes_the_account_printable(service, connector, document, label, identifier):
    service.answers(document)

    account = check(connector, "basic", secret=SECRET, values=VALUES)

    assert account == Account(label=label, identifier=identifier)


def test_an_empty_response_is_enough_if_no_account_is_expected(service, connector) -> None:
    service.answers(b"", status=204)

    account = check(
        replace(connector, check=Check(path="/ping")), "basic", secret=SECRET, values=VALUES
    )

    assert account == Account(label="", identifier="")


@pytest.mark.parametrize(
    ("status", "body", "kind", "part"),
    [
        (401, b"", CredentialRefused, "Example refused this user name and password."),
        (401, b"<h1>Sign in", CredentialRefused, "Example refused this user name and password."),
        (403, b"{}", ServiceRefused, "lacks the permission for the connection test"),
        (404, b"{}", ServiceRefused, "found nothing at this URL"),
        (400, b"{}", ServiceRefused, "did not accept the request (status 400)"),
        (429, b"{}", ServiceRefused, "is receiving too many requests"),
        (500, b"{}", ServiceRefused, "a problem of its own (status 500)"),
        (503, b"<h1>", ServiceRefused, "a problem of its own (status 503)"),
        (200, b"<h1>Sign in", ServiceUnintelligible, "sent a web page where data was expected"),
        (200, b"", ServiceUnintelligible, "sent an empty answer"),
        (302, b"", ServiceUnintelligible, "redirected to another URL"),
    ],
)
def test_the_error_says_what_went_wrong(service, connector, status, body, kind, part) -> None:
    service.answers(body, status=status, Location="/")

    with pytest.raises(ServiceError) as caught:
        check(connector, "basic", secret=SECRET, values=VALUES)

    assert type(caught.value) is kind
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("auth_type", "secret", "sentence"),
    [
        ("oauth2", {"access_token": "t"}, "Example refused this authorization."),
        ("api_key", {"key": "k"}, "Example refused this key."),
    ],
)
def test_the_error_names_the_refused_credential(
    service, connector, auth_type, secret, sentence
) -> None:
    connector = replace(connector, check=Check(path="me"))
    service.answers(b"", status=401)

    with pytest.raises(CredentialRefused) as caught:
        check(connector, auth_type, secret=secret, values=VALUES)
    assert str(caught.value) == sentence


def test_a_refused_status_of_the_definition_means_an_invalid_credential(service, connector) -> None:
    connector = replace(connector, check=Check(path="me", refused_statuses=(403,)))
    service.answers(b"{}", status=403)
    with pytest.raises(CredentialRefused, match="Example refused this user name and password"):
        check(connector, "basic", secret=SECRET, values=VALUES)


@pytest.mark.parametrize("status", [401, 403])
def test_a_missing_scope_is_not_a_refused_credential(service, connector, status) -> None:
    connector = replace(connector, check=Check(path="me", refused_statuses=(403,)))
    service.answers(b"{}", status=status, WWW_Authenticate='Bearer error="insufficient_scope"')
    with pytest.raises(
        ServiceRefused, match="lacks the permission for the connection test"
    ) as caught:
        check(connector, "basic", secret=SECRET, values=VALUES)
    assert type(caught.value) is ServiceRefused


@pytest.mark.parametrize(
    ("error", "kind"),
    [("invalid_auth", CredentialRefused), ("ratelimited", ServiceRefused)],
)
def test_it_detects_an_error_with_status_200(service, connector, error, kind) -> None:
    connector = replace(connector, check=Check(path="auth.test", error_when={"ok": "false"}))
    connector = replace(connector, error_codes={"invalid_auth": "invalid_grant"})
    service.answers({"ok": False, "error": error})

    with pytest.raises(ServiceRefused) as caught:
        check(connector, "basic", secret=SECRET, values=VALUES)
    assert type(caught.value) is kind
    assert caught.value.code == error


def test_the_error_masks_a_secret_that_the_service_repeats(service, connector) -> None:
    connector = replace(connector, check=Check(path="me", error_when={"ok": "false"}))
    service.answers({"ok": False, "error": "no such token: hunter2-hunter2"})

    with pytest.raises(ServiceRefused) as caught:
        check(connector, "basic", secret=SECRET, values=VALUES)
    assert "hunter2" not in str(caught.value) + caught.value.code


def test_the_error_says_that_nothing_answers(connector, settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1:1"]

    with pytest.raises(ServiceUnreachable, match="Example could not be reached"):
        check(
            replace(connector, api_base_url="http://127.0.0.1:1"),
            "basic",
            secret=SECRET,
            values=VALUES,
        )
