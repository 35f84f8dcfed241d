from __future__ import annotations

import base64
import json

import pytest

from connectors.definitions.grant_end import GrantEnd
from connectors.definitions.schema import KeptField
from connectors.errors import (
    ClientRefused,
    CredentialRefused,
    ServiceForbidden,
    ServiceRefused,
    ServiceUnintelligible,
)
from connectors.oauth2 import access_token_request, refresh_request
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import TokenResponse

CLIENT = ClientCredentials(client_id="id:1", client_secret="s3cr3t&1")
TOKENS = {"access_token": "at-2", "token_type": "Bearer", "expires_in": 3600}


def refreshed(connector, **changes) -> TokenResponse:
    arguments = {"client": CLIENT, "refresh_token": "rt/1 +", "values": {}}
    return refresh_request.refresh(connector, **{**arguments, **changes})


def test_it_works(service, make_connector) -> None:
    journal: list[bytes] = []
    service.answers({**TOKENS, "refresh_token": "rt-2"})

    answer = refreshed(make_connector(), journal=journal.append)

    assert (answer.access_token, answer.refresh_token, answer.expires_in) == ("at-2", "rt-2", 3600)
    assert journal == [service.body] == [answer.raw]
    assert service.only.form == {"grant_type": ["refresh_token"], "refresh_token": ["rt/1 +"]}


def test_there_can_be_no_new_refresh_token(service, make_connector) -> None:
    service.answers(TOKENS)

    assert refreshed(make_connector()).refresh_token == ""


@pytest.mark.parametrize(
    ("method", "header", "fields"),
    [
        ("client_secret_basic", "id%3A1:s3cr3t%261", {}),
        ("client_secret_post", None, {"client_id": ["id:1"], "client_secret": ["s3cr3t&1"]}),
        ("none", None, {"client_id": ["id:1"]}),
    ],
)
def test_the_client_authenticates_exactly_once(
    service, make_connector, method, header, fields
) -> None:
    service.answers(TOKENS)

    refreshed(make_connector(token_endpoint_auth_method=method))

    sent = [
        base64.b64decode(value.removeprefix("Basic ")).decode()
        for value in service.only.all("Authorization")
    ]
    assert sent == ([header] if header else [])
    form = service.only.form
    assert {name: form[name] for name in form if name.startswith("client")} == fields


def test_a_smaller_scope_is_not_an_error(service, make_connector) -> None:
    service.answers({**TOKENS, "scope": "other"})

    assert refreshed(make_connector()).scopes == ("other",)


@pytest.mark.parametrize("scope", ["", " ", None, []])
def test_an_absent_scope_means_no_change(service, make_connector, scope) -> None:
    service.answers({**TOKENS, "scope": scope})

    assert refreshed(make_connector()).scopes is None


@pytest.mark.parametrize(("scope", "scopes"), [("", ()), ([], ()), (None, None), ("a", ("a",))])
def test_a_definition_may_say_that_no_scope_is_granted(
    service, make_connector, scope, scopes
) -> None:
    service.answers({**TOKENS, "scope": scope})

    assert refreshed(make_connector(empty_scope_is_none=True)).scopes == scopes


@pytest.mark.parametrize("request_format", ["form", "json"])
def test_scopes_are_sent_if_the_service_requires_them(
    service, make_connector, request_format
) -> None:
    connector = make_connector(
        refresh_scope=True, scope_separator=",", token_request=request_format
    )
    service.answers(TOKENS)

    refreshed(connector, scopes=("read", "https://example.com/a+b"))

    request = service.only
    form = request.form if request_format == "form" else json.loads(request.body)
    assert form["scope"] in ("read,https://example.com/a+b", ["read,https://example.com/a+b"])


def test_scopes_are_not_sent_if_they_are_unknown(service, make_connector) -> None:
    service.answers(TOKENS)

    refreshed(make_connector(refresh_scope=True), scopes=())

    assert "scope" not in service.only.form


def test_scopes_are_not_sent_by_default(service, make_connector) -> None:
    service.answers(TOKENS)

    refreshed(make_connector(), scopes=("read",))

    assert "scope" not in service.only.form


ENDS = (GrantEnd(status=400), GrantEnd(status=401, body=r"Token .{1,20} is (gone|spent)\."))


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b"", CredentialRefused),
        (400, b" \r\n", CredentialRefused),
        (401, b"Token 1 is spent.", CredentialRefused),
        (401, b"Token 1\n2 is gone.\n", CredentialRefused),
        (400, b"<h1>No", ServiceUnintelligible),
        (403, b"", ServiceUnintelligible),
        (401, b"Token 1 is fine.", ClientRefused),
        (401, b"", ClientRefused),
        (400, {"error": "invalid_client"}, ClientRefused),
        (500, b"", ServiceRefused),
    ],
)
def test_a_definition_can_list_responses_that_end_a_grant(
    service, make_connector, status, body, kind
) -> None:
    service.answers(body, status=status)

    with pytest.raises((ServiceRefused, ServiceUnintelligible)) as caught:
        refreshed(make_connector(grant_ends=ENDS))

    assert type(caught.value) is kind


def test_a_json_response_can_end_a_grant(service, make_connector) -> None:
    service.answers({"error": "invalid_request"}, status=400)
    ends = (GrantEnd(status=400, body=r'\{"error": "invalid_request"\}'),)

    with pytest.raises(CredentialRefused, match=r"no longer accepts .*\(invalid_request\)"):
        refreshed(make_connector(grant_ends=ends))


def test_such_a_response_does_not_end_a_code_exchange(service, make_connector) -> None:
    """At the code exchange there is no grant yet that could end."""
    service.answers(b"", status=400)
    with pytest.raises(ServiceUnintelligible):
        access_token_request.exchange_code(
            make_connector(grant_ends=ENDS),
            client=CLIENT,
            code="c",
            redirect_uri="https://console.example/",
            code_verifier=None,
            values={},
        )


def test_it_finds_flat_tokens_although_the_first_response_nested_them(
    service, make_connector
) -> None:
    connector = make_connector(token_path="authed_user", error_when={"ok": "false"})
    service.answers({"ok": True, **TOKENS, "refresh_token": "xoxe-1-2"})
    assert refreshed(connector).access_token == "at-2"

    service.answers({"ok": True, "authed_user": {**TOKENS, "access_token": "nested"}})
    assert refreshed(connector).access_token == "nested"


def test_fields_missing_from_a_refresh_are_kept(service, make_connector) -> None:
    connector = make_connector(
        kept=(
            KeptField(name="host", source="token", path="host", pattern=r"[a-z]+\.example"),
            KeptField(name="team", source="token", path="t", pattern="T1", default="T1"),
        )
    )
    service.answers(TOKENS)
    assert refreshed(connector).kept == {}

    service.answers({**TOKENS, "host": "eu.example"})
    assert refreshed(connector).kept == {"host": "eu.example"}

    service.answers({**TOKENS, "host": "evil.test"})
    with pytest.raises(ServiceForbidden, match="“host”") as caught:
        refreshed(connector)
    assert not caught.value.certain


@pytest.mark.parametrize(
    ("status", "body", "kind", "part"),
    [
        (400, {"error": "invalid_grant"}, CredentialRefused, "was revoked there"),
        (200, {"error": "invalid_code"}, CredentialRefused, "no longer accepts"),
        (400, {"status": "BAD_REFRESH_TOKEN", "message": "no"}, CredentialRefused, "no longer"),
        (200, {"ok": False, "error": "token_revoked"}, CredentialRefused, "no longer accepts"),
        (401, {"error": "invalid_client"}, ClientRefused, "A super admin can fix"),
        (400, {"error": "invalid_scope"}, ServiceRefused, "refused (invalid_scope)"),
        (503, {"error": "invalid_grant"}, ServiceRefused, "status 503"),
        (200, b"<h1>Maintenance", ServiceUnintelligible, "web page"),
    ],
)
def test_it_tells_an_ended_grant_from_an_outage(
    service, make_connector, status, body, kind, part
) -> None:
    service.answers(body, status=status)

    with pytest.raises((ServiceRefused, ServiceUnintelligible)) as caught:
        refreshed(make_connector(error_when={"ok": "false"}))

    assert type(caught.value) is kind
    assert part in str(caught.value)


def test_secrets_are_not_logged_or_repeated(service, make_connector, assert_not_logged) -> None:
    body = {"error": "invalid_grant", "error_description": "rt/1 + is unknown (s3cr3t&1)"}
    service.answers(body, status=400)

    with assert_not_logged("rt/1", "s3cr3t"), pytest.raises(CredentialRefused) as caught:
        refreshed(make_connector(token_endpoint_auth_method="client_secret_post"))

    assert "rt/1" not in str(caught.value)
    assert "s3cr3t" not in str(caught.value)
