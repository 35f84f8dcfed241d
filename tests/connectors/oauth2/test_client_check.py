"""A token request with a code that does not exist tells whether a service accepts a client."""

from __future__ import annotations

import json
from base64 import b64decode
from urllib.parse import parse_qs

import pytest
import responses

from connectors.definitions.registry import get_connector
from connectors.oauth2.client_authentication import ClientCredentials
from connectors.oauth2.client_check import ClientVerdict, check_client, missing_values

CLIENT = ClientCredentials(client_id="an-id", client_secret="right-secret")
WRONG_CLIENT = (401, {"error": "invalid_client"})
WRONG_CODE = (400, {"error": "invalid_grant", "error_description": "code doesn't exist"})


def secret_of(request) -> str:
    """Return the secret with which a token request authenticates."""
    header = request.headers.get("Authorization", "")
    if header:
        return b64decode(header.removeprefix("Basic ")).decode().partition(":")[2]
    return parse_qs(request.body).get("client_secret", [""])[0]


@pytest.fixture
def service():
    """Answer token requests with one answer for the right secret and one for all others."""
    with responses.RequestsMock() as mock:

        def answers(right, wrong=None):
            def answer(request):
                status, body = right if secret_of(request) == "right-secret" else wrong
                return status, {}, body if isinstance(body, str) else json.dumps(body)

            mock.add_callback("POST", endpoint(), answer)
            return mock

        yield answers


def endpoint() -> str:
    oauth2 = get_connector("dropbox").oauth2
    assert oauth2
    return oauth2.token_endpoint


def check(client: ClientCredentials = CLIENT):
    return check_client(
        get_connector("dropbox"), client, redirect_uri="https://console.test/x/", values={}
    )


def test_it_is_accepted_if_only_a_wrong_secret_is_refused(service):
    mock = service(WRONG_CODE, WRONG_CLIENT)
    result = check()
    assert result.verdict is ClientVerdict.ACCEPTED
    assert "accepts the client ID and client secret" in result.message
    assert len(mock.calls) == 2


def test_it_is_refused_with_invalid_client(service):
    mock = service(WRONG_CLIENT)
    result = check()
    assert result.verdict is ClientVerdict.REFUSED
    assert len(mock.calls) == 1


def test_a_client_for_other_grants_is_refused(service):
    service((400, {"error": "unauthorized_client"}))
    result = check()
    assert result.verdict is ClientVerdict.REFUSED
    assert "authorization codes" in result.message


@pytest.mark.parametrize(
    "both", [WRONG_CODE, (400, {"error": "invalid_request"}), (401, {"error": "no_such_code"})]
)
def test_it_is_unknown_if_a_wrong_secret_gets_the_same_answer(service, both):
    service(both, both)
    result = check()
    assert result.verdict is ClientVerdict.UNKNOWN
    assert "does not say" in result.message


@pytest.mark.parametrize("broken", [(503, "down"), (200, "<html>")])
def test_an_outage_says_nothing_about_the_client(service, broken):
    service(broken, broken)
    assert check().verdict in (ClientVerdict.UNREACHABLE, ClientVerdict.UNKNOWN)


@pytest.mark.parametrize("right", [WRONG_CODE, WRONG_CLIENT, (400, {"error": "right-secret"})])
def test_no_message_contains_the_secret(service, right):
    service(right, WRONG_CLIENT)
    assert "right-secret" not in check().message


def test_parameters_of_the_url_are_named():
    assert missing_values(get_connector("jupyterhub"), {"scheme": "https"}) == ["Host"]
    assert missing_values(get_connector("dropbox"), {}) == []
