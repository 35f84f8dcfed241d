from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.errors import ServiceForbidden
from connectors.oauth2 import authorization_request

#: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def built(connector, **changes) -> tuple[str, list[tuple[str, str]]]:
    """Return the URL without its query, and the query."""
    arguments = {
        "client_id": "client 1",
        "redirect_uri": "https://console.example/oauth/callback/abc/",
        "scopes": ("read", "write"),
        "state": "s+/=",
        "code_verifier": VERIFIER,
        "values": {},
    }
    url = authorization_request.authorization_url(connector, **{**arguments, **changes})
    address, _, query = url.partition("?")
    return address, parse_qsl(query, keep_blank_values=True, strict_parsing=True)


def test_it_works(make_connector) -> None:
    address, query = built(make_connector())

    assert address == "https://accounts.example.com/authorize"
    assert sorted(query) == [
        ("client_id", "client 1"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
        ("redirect_uri", "https://console.example/oauth/callback/abc/"),
        ("response_type", "code"),
        ("scope", "read write"),
        ("state", "s+/="),
    ]


def test_the_verifier_is_not_in_the_url(make_connector, assert_not_logged) -> None:
    with assert_not_logged(VERIFIER, "s-3cr3t-st4t3"):
        assert VERIFIER not in str(built(make_connector(), state="s-3cr3t-st4t3"))


def test_it_sends_no_challenge_without_pkce(make_connector) -> None:
    for connector, verifier in ((make_connector(pkce=False), VERIFIER), (make_connector(), None)):
        _, query = built(connector, code_verifier=verifier)
        assert not [name for name, _ in query if name.startswith("code_challenge")]


def test_it_uses_the_services_parameter_names(make_connector) -> None:
    connector = make_connector(
        authorization_endpoint="https://{region}.example.com/{tenant}/authorize?theme=dark",
        scope_separator=",",
        scope_parameter="user_scope",
        authorize_parameters={"access_type": "offline", "audience": "https://{region}.example.com"},
    )

    address, query = built(connector, values={"region": "eu", "tenant": "a b"})

    assert address == "https://eu.example.com/a%20b/authorize"
    parameters = dict(query)
    assert len(parameters) == len(query)
    assert parameters["theme"] == "dark"
    assert parameters["user_scope"] == "read,write"
    assert parameters["access_type"] == "offline"
    assert parameters["audience"] == "https://eu.example.com"
    assert "scope" not in parameters


def test_it_sends_no_scope_parameter_without_scopes(make_connector) -> None:
    _, query = built(make_connector(), scopes=())

    assert "scope" not in dict(query)


def test_it_can_use_plain_http_if_the_operator_allows_it(make_connector, service) -> None:
    connector = make_connector(authorization_endpoint=f"{service.url}/authorize")

    address, _ = built(connector)

    assert address == f"{service.url}/authorize"


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://accounts.example.com/authorize",
        "javascript:alert(1)",
        "https://127.0.0.1/authorize",
        "https://accounts.example.com@evil.example/",
    ],
)
def test_it_refuses_a_forbidden_endpoint(make_connector, endpoint: str) -> None:
    with pytest.raises(ServiceForbidden):
        built(make_connector(authorization_endpoint=endpoint))


def test_a_parameter_cannot_change_the_host(make_connector) -> None:
    connector = make_connector(authorization_endpoint="https://{region}.example.com/authorize")

    with pytest.raises(ServiceForbidden):
        built(connector, values={"region": "evil.example/?"})


def test_verifiers_are_random_and_valid() -> None:
    made = {authorization_request.new_code_verifier() for _ in range(1000)}

    assert len(made) == 1000
    assert all(re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier) for verifier in made)


def test_the_url_is_one_that_browsers_accept(make_connector) -> None:
    address, query = built(make_connector(), scopes=("Zoë & co",), state="a&b=c#d")

    assert urlsplit(address).netloc == "accounts.example.com"
    assert dict(query)["scope"] == "Zoë & co"
    assert dict(query)["state"] == "a&b=c#d"
