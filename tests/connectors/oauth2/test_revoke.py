from __future__ import annotations

import base64
import json

import pytest

from connectors.definitions.schema import Revocation
from connectors.errors import ClientRefused, ServiceRefused, ServiceUnreachable
from connectors.oauth2 import revocation
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.revocation import TokensRevoked

CLIENT = ClientCredentials(client_id="id:1", client_secret="s3cr3t&1")
BASIC = "Basic " + base64.b64encode(b"id%3A1:s3cr3t%261").decode()
TOKENS = {"access_token": "at/1", "refresh_token": "rt 1"}


@pytest.fixture
def revoke(service, make_connector):
    def act(*, method="client_secret_basic", tokens=TOKENS, path="/revoke", **fields):
        how = Revocation(endpoint=service.url + path, **fields)
        connector = make_connector(
            revocation=how, token_endpoint_auth_method=method, error_when={"ok": "false"}
        )
        return revocation.revoke(connector, client=CLIENT, tokens=tokens, values={})

    return act


def test_it_works(service, revoke) -> None:
    service.answers(b"")

    answer = revoke()

    assert answer == TokensRevoked(revoked=("refresh_token", "access_token"))
    first, second = service.asked
    assert (first.method, first.path) == ("POST", "/revoke")
    assert first.form == {"token": ["rt 1"], "token_type_hint": ["refresh_token"]}
    assert second.form == {"token": ["at/1"], "token_type_hint": ["access_token"]}
    assert [request.all("Authorization") for request in (first, second)] == [[BASIC], [BASIC]]


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"token": "refresh_token"}, [["rt 1", "refresh_token"]]),
        ({"token": "access_token"}, [["at/1", "access_token"]]),
        ({"token_type_hint": False}, [["rt 1"], ["at/1"]]),
        ({"parameter": "the_token"}, [["rt 1"], ["at/1"]]),
    ],
)
def test_the_definition_decides_what_is_sent(service, revoke, fields, sent) -> None:
    revoke(**fields)

    forms = [request.form for request in service.asked]
    assert [[value for (value,) in form.values()] for form in forms] == sent


@pytest.mark.parametrize(
    ("fields", "form"),
    [
        (
            {"method": "client_secret_post"},
            {"token": ["rt 1"], "client_id": ["id:1"], "client_secret": ["s3cr3t&1"]},
        ),
        ({"method": "none"}, {"token": ["rt 1"], "client_id": ["id:1"]}),
        ({"client_authentication": "none"}, {"token": ["rt 1"]}),
    ],
)
def test_the_client_authenticates_as_the_definition_says(service, revoke, fields, form) -> None:
    revoke(token="refresh_token", **fields)

    assert service.only.form == {**form, "token_type_hint": ["refresh_token"]}
    assert service.only.all("Authorization") == []


def test_the_client_can_authenticate_differently_than_at_the_token_endpoint(
    service, revoke
) -> None:
    revoke(
        method="client_secret_post",
        client_authentication="client_secret_basic",
        token="refresh_token",
        token_type_hint=False,
    )

    assert service.only.form == {"token": ["rt 1"]}
    assert service.only.all("Authorization") == [BASIC]


def test_the_token_is_placed_as_the_definition_says(service, make_connector) -> None:
    def act(**fields) -> None:
        how = Revocation(
            **{"endpoint": f"{service.url}/revoke", "token": "refresh_token", **fields}
        )
        revocation.revoke(
            make_connector(revocation=how), client=CLIENT, tokens=TOKENS, values={"region": "eu"}
        )

    act(placed="query", client_authentication="none")
    act(
        endpoint=f"{service.url}/{{region}}/applications/{{client_id}}/grant",
        method="DELETE",
        placed="json",
        token="access_token",
        parameter="access_token",
    )
    act(endpoint=f"{service.url}/tokens/{{token}}", method="DELETE", placed="path")
    act(placed="bearer", token="access_token", client_authentication="none")

    query, document, path, bearer = service.asked
    assert (query.query, query.body) == ({"token": ["rt 1"]}, b"")
    assert (document.method, document.path) == ("DELETE", "/eu/applications/id%3A1/grant")
    assert json.loads(document.body) == {"access_token": "at/1"}
    assert document.all("Authorization") == [BASIC]
    assert (path.method, path.path) == ("DELETE", "/tokens/rt%201")
    assert bearer.all("Authorization") == ["Bearer at/1"]


@pytest.mark.parametrize("token", ["both", "refresh_token", "access_token"])
def test_the_access_token_is_revoked_if_there_is_no_refresh_token(service, revoke, token) -> None:
    revoke(tokens={"access_token": "at/1", "refresh_token": ""}, token=token)

    assert service.only.form["token"] == ["at/1"]
    assert service.only.form["token_type_hint"] == ["access_token"]


def test_no_request_is_sent_if_there_is_nothing_to_revoke(service, make_connector, revoke):
    nothing = TokensRevoked()
    assert revoke(tokens={}) == nothing
    assert revocation.revoke(make_connector(), client=CLIENT, tokens=TOKENS, values={}) == nothing

    assert service.asked == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (204, b""),
        (200, b"<p>Done"),
        (200, {"ok": True, "revoked": True}),
        (400, {"error": "invalid_grant"}),
        (400, {"error": "invalid_token"}),
        (200, {"ok": False, "error": "token_revoked"}),
    ],
)
def test_an_unknown_token_is_revoked(service, revoke, status, body) -> None:
    service.answers(body, status=status)

    assert revoke().revoked == ("refresh_token", "access_token")

    assert len(service.asked) == 2


@pytest.mark.parametrize(
    ("status", "body", "kind", "part"),
    [
        (401, {"error": "invalid_client"}, ClientRefused, "OAuth client"),
        (400, {"error": "unsupported_token_type"}, ServiceRefused, "unsupported_token_type"),
        (404, b"<h1>", ServiceRefused, "Example refused (status 404)"),
        (200, {"ok": False, "error": "fatal_error"}, ServiceRefused, "fatal_error"),
        (503, b"", ServiceRefused, "status 503"),
        (400, {"error": "no such token as rt 1"}, ServiceRefused, "no such token as •••"),
    ],
)
def test_the_error_says_why_a_token_was_not_revoked(
    service, revoke, status, body, kind, part
) -> None:
    service.answers(body, status=status)

    answer = revoke()

    assert answer.revoked == ()
    assert answer.refused.keys() == {"refresh_token", "access_token"}
    assert type(answer.refused["refresh_token"]) is kind
    assert part in str(answer.refused["refresh_token"])
    with pytest.raises(kind):
        answer.raise_refusal()


def test_refusing_one_token_does_not_stop_the_other(listen, make_connector, settings) -> None:
    """RFC 7009 section 2.2.1: a service need not revoke access tokens."""
    answers = iter(
        [
            b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 35\r\n\r\n"
            b'{"error": "unsupported_token_type"}',
        ]
    )

    def speak_in_turn(sock) -> None:
        sock.recv(65536)
        sock.sendall(next(answers))

    service = listen(speak_in_turn)
    settings.ALLOWED_PRIVATE_HOSTS = [f"127.0.0.1:{service.port}"]
    how = Revocation(endpoint=f"http://127.0.0.1:{service.port}/revoke")

    answer = revocation.revoke(
        make_connector(revocation=how), client=CLIENT, tokens=TOKENS, values={}
    )

    assert answer.revoked == ("refresh_token",)
    assert "unsupported_token_type" in str(answer.refused["access_token"])


@pytest.mark.parametrize(
    ("status", "requests"), [(400, 2), (404, 2), (401, 1), (429, 1), (500, 1), (503, 1)]
)
def test_it_stops_after_an_outage(service, revoke, status, requests) -> None:
    service.answers(b"", status=status)

    assert len(revoke().refused) == 2
    assert len(service.asked) == requests


def test_the_error_says_that_nothing_answers(make_connector, settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1:1"]
    how = Revocation(endpoint="http://127.0.0.1:1/revoke?a=1")

    answer = revocation.revoke(
        make_connector(revocation=how), client=CLIENT, tokens=TOKENS, values={}
    )

    assert {type(error) for error in answer.refused.values()} == {ServiceUnreachable}


def test_it_does_not_log_tokens(service, revoke, assert_not_logged) -> None:
    with assert_not_logged("rt 1", "rt%201", "rt+1", "s3cr3t"):
        revoke(placed="query")
