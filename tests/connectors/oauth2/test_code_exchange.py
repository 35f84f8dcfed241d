from __future__ import annotations

import base64
import json

import pytest
import responses

from connectors.definitions.schema import KeptField
from connectors.errors import (
    ClientRefused,
    CredentialRefused,
    ServiceError,
    ServiceForbidden,
    ServiceRefused,
    ServiceUnintelligible,
    ServiceUnreachable,
)
from connectors.oauth2 import access_token_request
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.token_response import TokenResponse

CLIENT = ClientCredentials(client_id="id:%+ &ü", client_secret="s3cr3t:%+ &ü/1")
REDIRECT_URI = "https://console.example/oauth/callback/a%20b/?x=1&y=%C3%BC"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
TOKENS = {"access_token": "at-1", "token_type": "Bearer"}


def exchanged(connector, **changes) -> TokenResponse:
    arguments = {
        "client": CLIENT,
        "code": "c0de/+ =&",
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        "values": {},
    }
    return access_token_request.exchange_code(connector, **{**arguments, **changes})


def test_it_works(service, make_connector) -> None:
    service.answers(
        {
            "access_token": "at-1",
            "refresh_token": "rt-1",
            "token_type": "bearer",
            "expires_in": 3600,
            "scope": "read write",
        }
    )

    answer = exchanged(make_connector())

    assert answer == TokenResponse(
        access_token="at-1",
        refresh_token="rt-1",
        token_type="bearer",
        expires_in=3600,
        scopes=("read", "write"),
        raw=service.body,
    )
    request = service.only
    assert (request.method, request.path, request.query) == ("POST", "/token", {})
    assert request.form == {
        "grant_type": ["authorization_code"],
        "code": ["c0de/+ =&"],
        "redirect_uri": [REDIRECT_URI],
        "code_verifier": [VERIFIER],
    }
    assert request.all("Content-Type") == ["application/x-www-form-urlencoded"]
    assert request.all("Accept") == ["application/json"]
    assert request.all("Accept-Encoding") == ["identity"]


def test_the_client_authenticates_only_in_the_header(service, make_connector) -> None:
    service.answers(TOKENS)

    exchanged(make_connector(token_endpoint_auth_method="client_secret_basic"))

    (header,) = service.only.all("Authorization")
    # RFC 6749 section 2.3.1: form-encoded before they are joined by a colon.
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == (
        "id%3A%25%2B+%26%C3%BC:s3cr3t%3A%25%2B+%26%C3%BC%2F1"
    )
    assert not {"client_id", "client_secret"} & set(service.only.form)


def test_the_client_authenticates_only_in_the_form(service, make_connector) -> None:
    service.answers(TOKENS)

    exchanged(make_connector(token_endpoint_auth_method="client_secret_post"))

    assert service.only.all("Authorization") == []
    assert service.only.form["client_id"] == ["id:%+ &ü"]
    assert service.only.form["client_secret"] == ["s3cr3t:%+ &ü/1"]


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_public_client_sends_only_its_id(service, make_connector, method: str) -> None:
    service.answers(TOKENS)
    client = ClientCredentials(client_id="public")

    exchanged(make_connector(token_endpoint_auth_method=method), client=client)

    assert service.only.all("Authorization") == []
    assert service.only.form["client_id"] == ["public"]
    assert "client_secret" not in service.only.form


def test_it_sends_no_verifier_without_pkce(service, make_connector) -> None:
    service.answers(TOKENS)

    exchanged(make_connector(pkce=False))
    exchanged(make_connector(), code_verifier=None)

    assert not [request for request in service.asked if "code_verifier" in request.form]


def test_it_journals_the_response_before_parsing_it(service, make_connector) -> None:
    journal: list[bytes] = []
    service.answers(b"<h1>Not a token")

    with pytest.raises(ServiceUnintelligible):
        exchanged(make_connector(), journal=journal.append)

    assert journal == [b"<h1>Not a token"]


def test_it_stops_if_the_journal_fails(service, make_connector) -> None:
    def full(raw: bytes) -> None:
        raise OSError("disk full")

    service.answers(TOKENS)
    with pytest.raises(OSError, match="disk full"):
        exchanged(make_connector(), journal=full)


def test_it_does_not_journal_errors(service, make_connector) -> None:
    journal: list[bytes] = []
    service.answers({"error": "invalid_grant"}, status=400)

    with pytest.raises(CredentialRefused):
        exchanged(make_connector(), journal=journal.append)
    assert journal == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({**TOKENS}, {"expires_in": None, "scopes": None, "refresh_token": ""}),
        ({"access_token": "at-1"}, {"token_type": "Bearer"}),
        ({**TOKENS, "token_type": "Zoho-oauthtoken"}, {"token_type": "Zoho-oauthtoken"}),
        ({**TOKENS, "token_type": None}, {"token_type": "Bearer"}),
        ({**TOKENS, "token_type": 7}, {"token_type": "Bearer"}),
        ({**TOKENS, "refresh_token": None}, {"refresh_token": ""}),
        ({**TOKENS, "scope": "read"}, {"scopes": ("read",)}),
        ({**TOKENS, "scope": "read admin extra"}, {"scopes": ("read", "admin", "extra")}),
        ({**TOKENS, "scope": "write,read"}, {"scopes": ("write", "read")}),
        ({**TOKENS, "scope": ["read"]}, {"scopes": ("read",)}),
        ({**TOKENS, "scope": ""}, {"scopes": None}),
        ({**TOKENS, "scope": []}, {"scopes": None}),
        ({**TOKENS, "scope": " "}, {"scopes": None}),
        ({**TOKENS, "scope": None}, {"scopes": None}),
        ({**TOKENS, "expires_in": "3599"}, {"expires_in": 3599}),
        ({**TOKENS, "expires_in": "never"}, {"expires_in": None}),
        ({**TOKENS, "expires_in": True}, {"expires_in": None}),
        ({**TOKENS, "expires_in": -5}, {"expires_in": None}),
        ({**TOKENS, "expires_in": [1]}, {"expires_in": None}),
        ({**TOKENS, "refresh_token_expires_in": 5184000}, {"refresh_expires_in": 5184000}),
        ({**TOKENS, "refresh_expires_in": "1800"}, {"refresh_expires_in": 1800}),
        ({**TOKENS, "refresh_expires_in": 0}, {"refresh_expires_in": None}),
        ({**TOKENS, "x_refresh_token_expires_in": 8726400}, {"refresh_expires_in": 8726400}),
        (b"access_token=at-1&scope=repo%2Cgist&token_type=bearer", {"scopes": ("repo", "gist")}),
        (b'{"access_token": "at-1", "expires_in": NaN}', {"expires_in": None}),
        (b'{"access_token": "at-1", "expires_in": 1e999}', {"expires_in": None}),
        (b'{"access_token": "at-1", "x": ' + b"9" * 5000 + b"}", {}),
    ],
)
def test_it_parses_token_responses_as_services_send_them(
    service, make_connector, body, found
) -> None:
    service.answers(body)

    answer = exchanged(make_connector())

    assert answer.access_token == "at-1"
    assert {name: getattr(answer, name) for name in found} == found


def test_it_uses_the_tokens_of_the_person_not_of_the_bot(service, make_connector) -> None:
    connector = make_connector(
        token_path="authed_user",
        error_when={"ok": "false"},
        kept=(KeptField(name="team", source="token", path="team.id", pattern="T[A-Z0-9]+"),),
    )
    service.answers(
        {
            "ok": True,
            "access_token": "xoxb-bot",
            "scope": "bot",
            "team": {"id": "T01"},
            "authed_user": {
                "id": "U1",
                "access_token": "xoxp-1",
                "scope": "chat:write,users:read",
                "token_type": "user",
            },
        }
    )

    answer = exchanged(connector)

    assert answer.access_token == "xoxp-1"
    assert answer.scopes == ("chat:write", "users:read")
    assert answer.token_type == "user"
    assert answer.kept == {"team": "T01"}

    service.answers({"ok": True, "access_token": "xoxb-bot", "team": {"id": "T01"}})
    with pytest.raises(ServiceUnintelligible, match="without an access token"):
        exchanged(connector)


def test_it_keeps_the_fields_that_salesforce_and_zoho_send(service, make_connector) -> None:
    host = r"https://[a-z0-9.-]+\.salesforce\.com"
    connector = make_connector(
        kept=(
            KeptField(name="instance_url", source="token", path="instance_url", pattern=host),
            KeptField(name="realm", source="callback", path="realmId", pattern="[0-9]+"),
            KeptField(
                name="api_domain",
                source="token",
                path="api_domain",
                pattern=r"https://www\.zohoapis\.(com|eu)",
                default="https://www.zohoapis.{region}",
            ),
            KeptField(name="number", source="token", path="hub_id", pattern="[0-9]+"),
        )
    )
    service.answers(
        {**TOKENS, "instance_url": "https://na1.my.salesforce.com", "hub_id": 62515, "id": "x"}
    )

    answer = exchanged(connector, values={"region": "eu"})

    assert answer.kept == {
        "instance_url": "https://na1.my.salesforce.com",
        "api_domain": "https://www.zohoapis.eu",
        "number": "62515",
    }


@pytest.mark.parametrize(
    "sent",
    [
        "http://169.254.169.254",
        "https://evil.example",
        "https://evil.example/.my.salesforce.com",
        "https://na1.my.salesforce.com@evil.example",
        "https://na1.my.salesforce.com\n",
        "https://na1.my.salesforce.com.evil.example",
        "https://na1.my.salesforce.com\u0000",
        "",
        None,
        True,
        ["https://na1.my.salesforce.com"],
    ],
)
def test_it_refuses_a_foreign_host(service, make_connector, sent) -> None:
    journal: list[bytes] = []
    kept = KeptField(
        name="instance_url",
        source="token",
        path="instance_url",
        pattern=r"https://[a-z0-9-]+\.my\.salesforce\.com",
    )
    service.answers({**TOKENS, "instance_url": sent})

    with pytest.raises(ServiceForbidden, match="“instance_url”") as caught:
        exchanged(make_connector(kept=(kept,)), journal=journal.append)

    assert not caught.value.certain
    assert len(journal) == 1


@pytest.mark.parametrize(
    "token_type", ["mac", "MAC", "DPoP", "dpop", " DPoP ", "PoP", "hotk", "N_A"]
)
def test_it_refuses_unsupported_token_types(service, make_connector, token_type: str) -> None:
    service.answers({**TOKENS, "token_type": token_type})

    with pytest.raises(
        ServiceUnintelligible, match=f"type “{token_type.strip()}”.*bearer tokens only"
    ):
        exchanged(make_connector())


@pytest.mark.parametrize(
    ("status", "body", "kind", "part"),
    [
        (
            400,
            {"error": "invalid_grant"},
            CredentialRefused,
            "did not accept its own authorization code",
        ),
        (
            401,
            {"error": "invalid_grant"},
            CredentialRefused,
            "did not accept its own authorization code",
        ),
        (400, {"error": "invalid_client"}, ClientRefused, "OAuth client (invalid_client)"),
        (401, {"error": "invalid_client"}, ClientRefused, "A super admin can fix"),
        (400, {"error": "unauthorized_client"}, ClientRefused, "OAuth client"),
        (401, {}, ClientRefused, "OAuth client (status 401)"),
        (401, b"", ClientRefused, "OAuth client"),
        (401, b"<h1>Unauthorized", ClientRefused, "OAuth client"),
        (
            400,
            {"error": "invalid_request", "error_description": "redirect_uri\r\nmissing"},
            ServiceRefused,
            "Example refused (invalid_request: redirect_uri missing). The connector's definition",
        ),
        (
            400,
            {"error": "unsupported_response_type", "error_description": "x" * 300},
            ServiceRefused,
            "unsupported_response_type: xxx",
        ),
        (400, {"error": "invalid_scope"}, ServiceRefused, "Change the connection's permissions"),
        (400, {"error": "temporarily_unavailable"}, ServiceRefused, "Try again in a few minutes"),
        (400, {"error": {"code": 190, "message": "Bad"}}, ServiceRefused, "refused (190: Bad)."),
        (400, {"status": "BAD_AUTH_CODE", "message": "no"}, CredentialRefused, "BAD_AUTH_CODE"),
        (403, {"a": 1}, ServiceRefused, "Example refused (status 403)."),
        (
            400,
            b"error=invalid_grant",
            CredentialRefused,
            "did not accept its own authorization code",
        ),
        (404, b"<h1>Not found", ServiceUnintelligible, "a web page where data was expected"),
        (400, b"", ServiceUnintelligible, "sent an empty answer (status 400)"),
        (429, {"error": "invalid_grant"}, ServiceRefused, "is receiving too many requests"),
        (500, {"error": "invalid_grant"}, ServiceRefused, "status 500"),
        (502, b"<h1>Bad gateway", ServiceRefused, "status 502"),
        (
            200,
            {"error": "invalid_code"},
            CredentialRefused,
            "did not accept its own authorization code",
        ),
        (
            200,
            {"error": "bad_verification_code"},
            CredentialRefused,
            "did not accept its own authorization code",
        ),
        (200, {"error": "incorrect_client_credentials"}, ClientRefused, "OAuth client"),
        (200, {"ok": False, "error": "internal"}, ServiceRefused, "refused (internal)"),
        (200, {"ok": False, **TOKENS}, ServiceRefused, "Example refused (status 200)."),
        (200, {}, ServiceUnintelligible, "without an access token"),
        (200, {"access_token": ""}, ServiceUnintelligible, "without an access token"),
        (200, {"access_token": ["a"]}, ServiceUnintelligible, "without an access token"),
        (
            200,
            {"access_token": "a\nb"},
            ServiceUnintelligible,
            "token with characters that cannot be sent",
        ),
        (
            200,
            {"access_token": "a\x00"},
            ServiceUnintelligible,
            "token with characters that cannot be sent",
        ),
        (200, b'{"access_token": "\\ud800"}', ServiceUnintelligible, "cannot be sent"),
        (200, {**TOKENS, "refresh_token": 7}, ServiceUnintelligible, "Example"),
        (200, b"", ServiceUnintelligible, "sent an empty answer"),
        (200, b"<!doctype html>", ServiceUnintelligible, "a web page where data was expected"),
        (200, b"[" * 100_000, ServiceUnintelligible, "cannot be read"),
        (200, b"[]", ServiceUnintelligible, "cannot be read"),
        (200, b"x" * 2_000_000, ServiceUnintelligible, "larger than 1024 KiB"),
        (307, b"", ServiceUnintelligible, "redirected"),
    ],
)
def test_the_error_says_what_went_wrong(service, make_connector, status, body, kind, part) -> None:
    service.answers(body, status=status, Location="/token")

    with pytest.raises(ServiceError) as caught:
        exchanged(make_connector(error_when={"ok": "false"}))

    assert type(caught.value) is kind
    assert part in str(caught.value)
    assert len(str(caught.value)) < 500
    assert len(service.asked) == 1


def test_the_error_has_the_services_code(service, make_connector) -> None:
    service.answers({"error": "invalid_scope"}, status=400)

    with pytest.raises(ServiceRefused) as caught:
        exchanged(make_connector())
    assert (caught.value.code, caught.value.status) == ("invalid_scope", 400)


@pytest.mark.parametrize(
    "echoed",
    [
        CLIENT.client_secret,
        "c0de/+ =&",
        "c0de%2F%2B%20%3D%26",
        "c0de%2F%2B+%3D%26",
        VERIFIER,
        "ya29.a0AfH6SMBx1mZq8yYjKk3Wq7v9sample",
    ],
)
@pytest.mark.parametrize("field", ["error", "error_description"])
def test_errors_do_not_repeat_secrets(
    service, make_connector, assert_not_logged, echoed, field
) -> None:
    service.answers({"error": "invalid_request", field: f"bad value {echoed}"}, status=400)

    with assert_not_logged(echoed), pytest.raises(ServiceRefused) as caught:
        exchanged(make_connector())

    assert echoed[:30] not in f"{caught.value} {caught.value.code}"
    assert "•••" in str(caught.value)


def test_secrets_are_not_logged_or_shown(service, make_connector, assert_not_logged) -> None:
    service.answers({**TOKENS, "access_token": "at-hunter2", "refresh_token": "rt-hunter2"})

    with assert_not_logged("hunter2", "c0de", VERIFIER, "s3cr3t"):
        answer = exchanged(make_connector(token_endpoint_auth_method="client_secret_post"))

    assert "hunter2" not in repr(answer)
    assert "s3cr3t" not in repr(CLIENT)


def test_the_parameters_fill_the_token_endpoint(service, make_connector) -> None:
    service.answers(TOKENS)
    connector = make_connector(token_endpoint="{accounts_server}/oauth/v2/{tenant}/token")

    exchanged(connector, values={"accounts_server": service.url, "tenant": "a/b"})

    assert service.only.path == "/oauth/v2/a%2Fb/token"


def test_it_sends_no_secret_to_a_forbidden_url(listen, make_connector, settings) -> None:
    canary = listen()
    settings.ALLOWED_PRIVATE_HOSTS = []
    for endpoint in (
        f"http://127.0.0.1:{canary.port}/token",
        f"https://localhost:{canary.port}/token",
        "http://accounts.example.com/token",
        "https://accounts.example.com@evil.example/token",
    ):
        with pytest.raises(ServiceForbidden):
            exchanged(make_connector(token_endpoint=endpoint))
    assert canary.connections == 0


def test_it_tells_an_unknown_outcome_from_a_certain_one(listen, make_connector, settings) -> None:
    listener = listen(lambda sock: sock.recv(65536))
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{listener.port}", "127.0.0.1:1"]

    with pytest.raises(ServiceUnreachable) as broken_off:
        exchanged(make_connector(token_endpoint=f"http://127.0.0.1:{listener.port}/token"))
    with pytest.raises(ServiceUnreachable) as refused:
        exchanged(make_connector(token_endpoint="http://127.0.0.1:1/token"))

    assert not broken_off.value.certain
    assert refused.value.certain


def test_the_responses_library_can_simulate_a_public_service(make_connector) -> None:
    with responses.RequestsMock() as mocked:
        mocked.post("https://accounts.example.com/token", body=json.dumps(TOKENS))
        answer = exchanged(make_connector(token_endpoint="https://accounts.example.com/token"))

    assert answer.access_token == "at-1"
