from __future__ import annotations

import base64
import json

import pytest

from connectors import oauth2
from connectors.definition import Revocation
from connectors.errors import ClientRefused, ServiceError, ServiceRefused, ServiceUnreachable

CLIENT = oauth2.ClientCredentials(client_id="id:1", client_secret="s3cr3t&1")
BASIC = "Basic " + base64.b64encode(b"id%3A1:s3cr3t%261").decode()
TOKENS = {"access_token": "at/1", "refresh_token": "rt 1"}


@pytest.fixture
def revoke(service, speaks_oauth2):
    def act(*, method="client_secret_basic", tokens=TOKENS, path="/revoke", **fields) -> None:
        how = Revocation(endpoint=service.url + path, **fields)
        connector = speaks_oauth2(
            revocation=how, token_endpoint_auth_method=method, error_when={"ok": "false"}
        )
        oauth2.revoke(connector, client=CLIENT, tokens=tokens, values={})

    return act


def test_it_works(service, revoke) -> None:
    service.answers(b"")

    revoke()

    assert (service.only.method, service.only.path) == ("POST", "/revoke")
    assert service.only.form == {"token": ["rt 1"]}
    assert service.only.all("Authorization") == [BASIC]


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
def test_the_client_proves_itself_as_told(service, revoke, fields, form) -> None:
    revoke(**fields)

    assert service.only.form == form
    assert service.only.all("Authorization") == []


def test_the_client_may_prove_itself_otherwise_than_at_the_token_endpoint(service, revoke) -> None:
    revoke(method="client_secret_post", client_authentication="client_secret_basic")

    assert service.only.form == {"token": ["rt 1"]}
    assert service.only.all("Authorization") == [BASIC]


def test_the_token_goes_where_the_service_wants_it(service, speaks_oauth2) -> None:
    def act(**fields) -> None:
        how = Revocation(**{"endpoint": f"{service.url}/revoke", **fields})
        oauth2.revoke(
            speaks_oauth2(revocation=how), client=CLIENT, tokens=TOKENS, values={"region": "eu"}
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


def test_the_access_token_is_given_back_where_there_is_no_other(service, revoke) -> None:
    revoke(tokens={"access_token": "at/1", "refresh_token": ""})

    assert service.only.form["token"] == ["at/1"]


def test_nothing_is_asked_where_there_is_nothing_to_give_back(service, speaks_oauth2, revoke):
    revoke(tokens={})
    oauth2.revoke(speaks_oauth2(), client=CLIENT, tokens=TOKENS, values={})

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
def test_what_the_service_does_not_know_any_more_is_given_back(
    service, revoke, status, body
) -> None:
    service.answers(body, status=status)

    revoke()

    assert len(service.asked) == 1


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
def test_it_says_why_a_token_was_not_taken_back(service, revoke, status, body, kind, part) -> None:
    service.answers(body, status=status)

    with pytest.raises(ServiceError) as caught:
        revoke()

    assert type(caught.value) is kind
    assert part in str(caught.value)


def test_it_says_that_nobody_answers(speaks_oauth2, settings) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1:1"]
    how = Revocation(endpoint="http://127.0.0.1:1/revoke?a=1")

    with pytest.raises(ServiceUnreachable):
        oauth2.revoke(speaks_oauth2(revocation=how), client=CLIENT, tokens=TOKENS, values={})


def test_it_logs_no_token(service, revoke, leaks_nothing) -> None:
    with leaks_nothing("rt 1", "rt%201", "rt+1", "s3cr3t"):
        revoke(placed="query")
