from __future__ import annotations

import base64

import pytest

from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import invoke, placeholder_values
from tests.connections.call_helpers import API, get, state_of

TOKEN = "an-access-token"


@pytest.mark.parametrize("name", ["X-Api-Key", "x-api-key", "X-API-KEY"])
def test_nobody_takes_the_place_of_the_signature(network, acting, name):
    network.get(f"{API}/key/api/contacts", json={})
    state = acting("sandbox_api_key", secret={"key": "the-right-key"})

    invoke(get(headers={name: "mine"}), state)

    headers = network.calls[0].request.headers
    assert [value for key, value in headers.items() if key.lower() == "x-api-key"] == [
        "the-right-key"
    ]


@pytest.mark.parametrize(
    "name", ["Authorization", "aUTHORIZATION", "Host", "Cookie", "Content-Length", "User-Agent"]
)
def test_it_refuses_headers_of_its_own(network, acting, name):
    exchange = invoke(get(headers={name: "x"}), acting())
    assert f"The header {name} is set only by the console." in exchange.problem
    assert len(network.calls) == 0


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "日本"])
def test_no_header_holds_a_line_break(network, acting, value):
    exchange = invoke(get(headers={"X-Note": value}), acting())
    assert "cannot be sent" in exchange.problem
    assert len(network.calls) == 0


@pytest.mark.parametrize(
    "path",
    [
        "contacts",
        "//evil.example",
        "/%2F%2Fevil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "http://evil.example",
        "@evil.example/",
        ":80@evil.example/",
        ".evil.example/",
        "/a\tb",
        "/a\r\nHost: evil.example",
        "\t//evil.example",
        "/x?y",
        "/x#y",
        "/%zz",
        "/..",
        "/../me",
        "/contacts/../../admin",
        "/./contacts",
        "/%2e%2e/admin",
        "/%2E./admin",
        "/.%2e/admin",
        "/%252e%252e/admin",
        "/a/%2e%2e%2fadmin",
        "/a/..%2fadmin",
        "/a/..%5cadmin",
        "/..;/admin",
        "/..;x=1/admin",
        "/%2e%2e;/admin",
        "/..%00/admin",
        "/..%20/admin",
        "/%25252525252e%25252525252e/admin",
    ],
)
def test_no_path_leads_out(network, acting, path):
    exchange = invoke(get(path), acting())
    assert "could lead out of Sandbox's API" in exchange.problem
    assert len(network.calls) == 0


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/a/@evil.example", "/api/a/@evil.example"),
        ("", "/api"),
        ("/queues/%2F/x", "/api/queues/%2F/x"),
        ("/müller heim", "/api/m%C3%BCller%20heim"),
        ("/a...b/...", "/api/a...b/..."),
        ("/x/http://evil.example/", "/api/x/http://evil.example/"),
        ("/$metadata('x',*)", "/api/$metadata('x',*)"),
    ],
)
def test_odd_paths_stay_where_they_are(network, acting, path, asked):
    network.get(f"{API}{asked}", json={})
    exchange = invoke(get(path), acting())
    assert exchange.problem == ""
    assert network.calls[0].request.url == f"{API}{asked}"


def test_facts_are_what_is_no_secret(network, acting):
    secret = {"account_sid": "AC1", "auth_token": "hidden-token"}
    state = acting("twilio", secret=secret, kept={"region": "ie1"})
    assert placeholder_values(state) == {"account_sid": "AC1", "region": "ie1"}


def test_it_shows_no_secret(network, acting):
    network.post(
        f"{API}/api/contacts",
        body=f'{{"token": "{TOKEN}", "refresh": "a-refresh-token", "n": 1}}',
        headers={"X-Echo": f"Bearer {TOKEN}", "Set-Cookie": "session=1"},
    )
    request = ServiceRequest(
        method="POST",
        path="/contacts",
        query={"access_token": TOKEN},
        headers={"X-Mine": f"t {TOKEN}"},
        body={"token": TOKEN},
    )

    exchange = invoke(request, acting())

    assert TOKEN not in repr(exchange)
    assert "a-refresh-token" not in repr(exchange)
    assert exchange.answer == {"token": "•••", "refresh": "•••", "n": 1}
    assert exchange.address.endswith("?access_token=•••")
    assert exchange.answer_headers["x-echo"] == "•••"
    assert "set-cookie" not in exchange.answer_headers


def test_it_shows_no_spelling_of_a_password(network, acting):
    password = "p+w/ör d\"&'"
    pair = base64.b64encode(f"alice:{password}".encode()).decode()
    echoes = [
        pair,
        f"Basic {pair}",
        password,
        base64.b64encode(password.encode()).decode(),
        "p%2Bw%2F%C3%B6r%20d%22%26%27",
        "p%2bw%2f%c3%b6r+d%22%26%27",
        "p+w\\/\\u00f6r d\\\"&'",
        "p+w/ör d&quot;&amp;&#x27;",
    ]
    network.get(f"{API}/basic/api/contacts", body="\n".join(echoes))
    state = acting("sandbox_basic", secret={"username": "alice", "password": password})

    exchange = invoke(get(), state)

    assert exchange.answer_body.split("\n") == ["•••"] * len(echoes)
    assert network.calls[0].request.headers["Authorization"] == f"Basic {pair}"


def test_what_is_no_secret_stays_readable(network, acting):
    network.get(f"{API}/basic/api/me", json={"email": "alice@example.com"})
    state = acting("sandbox_basic", secret={"username": "alice", "password": "wonder"})
    assert invoke(get("/me"), state).answer == {"email": "alice@example.com"}


def test_an_authorization_for_another_host_is_not_used(network, connect, grant):
    there = {"scheme": "https", "host": "there.example"}
    connection = connect("rabbitmq_management", name="Broker", parameters=there)
    grant(connection, parameters=there | {"host": "elsewhere.example"})
    exchange = invoke(get(), state_of(connection))
    assert "Broker was authorized for other settings" in exchange.problem
    assert len(network.calls) == 0
