"""What passes in either direction, and what never does (security.md X5, X9 to X12)."""

from __future__ import annotations

import pytest

from connectors.definitions.registry import get_connectors
from tests.runtime.proxy.program import leading_to, speaking

CREDENTIALS = ["Authorization", "X-Api-Key", "AUTHORIZATION", "x-api-key", "X_Api_Key"]


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Anything",
        "TE",
        "Trailer",
        "Upgrade",
        "Host",
        "Cookie",
        "Console-User",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "Forwarded",
        "Via",
        "X-Real-Ip",
        "Expect",
        "Sec-Fetch-Site",
        # Some services take the path of these for that of the request.
        "X-Original-Url",
        "X-Rewrite-Url",
        # These tell Rack where it may read files.
        "X-Sendfile-Type",
        "X-Accel-Mapping",
    ],
)
def test_what_is_said_to_the_console_is_not_passed_on(upstream, program, keyed, name):
    if name == "Console-User":
        program.get("orders", headers={name: ""})
    else:
        program.get("orders", headers={name: "said-to-the-console"})
    asked = upstream.only
    assert "said-to-the-console" not in str(asked.headers)
    assert asked.all("Host") == [f"127.0.0.1:{upstream.port}"]
    assert program.key not in str(asked.headers)


@pytest.mark.parametrize("name", CREDENTIALS)
def test_no_credential_of_the_program_gets_through(upstream, program, keyed, name):
    answer = program.get("orders", headers={name: "of-the-program"})
    if name.lower() == "authorization":
        # It replaces the key, or is a second one.
        is_twice = name != "Authorization" and program.differs("`Authorization` or `Host` twice")
        assert answer.status == (400 if is_twice else 401)
        return
    assert upstream.only.all("X-Api-Key") == ["the-key-of-alice"]
    assert upstream.only.all("Authorization") == []
    assert "of-the-program" not in str(upstream.only.headers)


def test_no_header_names_the_credential_away(upstream, program, signed):
    program.get(
        "customers",
        headers={"Connection": "Authorization, X-Secret, Accept-Encoding", "X-Secret": "x"},
    )
    assert upstream.only.all("Authorization") == ["Bearer an-access-token"]
    assert upstream.only.all("X-Secret") == []
    assert upstream.only.all("Accept-Encoding") == ["identity"]


@pytest.fixture
def in_query(upstream, settings, tmp_path, connect, grant):
    """A connection that sends its key in the query."""
    text = (get_connectors.__wrapped__, tmp_path / "query_key.toml")[1]
    text.write_text(f"""
name = "Query Key"
category = "Sandbox"
summary = "A key in the query."
documentation = "{upstream.url}/"
sources = ["{upstream.url}/"]
read_on = "2026-11-24"
sandbox = true
api_base_url = "{upstream.url}/api"
check = {{ path = "/me" }}

[api_key]
fields = [{{ name = "key", label = "API key" }}]

[api_key.signing]
query = "api_key"
value = "{{key}}"
""")
    settings.EXTRA_CATALOGUES = [str(tmp_path)]
    get_connectors.cache_clear()
    connection = connect("query_key", link_name="in_query")
    grant(connection, secret={"key": "the key & more"})
    return connection


@pytest.mark.parametrize(
    "query",
    [
        "api_key=mine",
        "API_KEY=mine",
        "api%5Fkey=mine",
        "a=1;api_key=mine",
        "api_key=1&api_key=2",
        "api_key",
        "+api_key=mine",
        "%61pi_key=mine",
    ],
)
def test_no_query_of_the_program_takes_the_place_of_the_key(upstream, program, in_query, query):
    answer = program.get("in_query", query=f"b=1&{query}&c=2&b=3")
    assert answer.status == 200
    assert upstream.only.query == {"b": ["1", "3"], "c": ["2"], "api_key": ["the key & more"]}


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\0b", "a\rb"])
def test_a_header_that_would_be_two_is_refused(upstream, program, keyed, value):
    answer = program.get("orders", headers={"X-Value": value})
    if program.differs("a request header with a control character"):
        assert answer.status in {200, 400}
        assert all(asked.all("X-Value") in ([], ["a"]) for asked in upstream.asked)
        return
    assert (answer.status, answer.problem) == (400, "header-refused")
    assert upstream.asked == []


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "G T", "GET\r\nX", "", "A" * 30])
def test_a_method_that_is_none_is_refused(upstream, program, keyed, method):
    answer = program.call(method, "orders")
    if program.differs("methods that are not made of capital letters"):
        assert answer.status in {0, 400, 405}  # 0: a response of HTTP/0.9
    else:
        assert answer.status == 405
    assert upstream.asked == []


@pytest.mark.parametrize(
    "name",
    [
        "Set-Cookie",
        "Set-Cookie2",
        "Content-Security-Policy",
        "Strict-Transport-Security",
        "Cross-Origin-Opener-Policy",
        "Clear-Site-Data",
        "Alt-Svc",
        "Refresh",
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Upgrade",
        "Trailer",
        "Access-Control-Allow-Origin",
        "Service-Worker-Allowed",
        "NEL",
        "Report-To",
        "Console-Request-Id",
        "Public-Key-Pins",
        "X-Accel-Redirect",
        "x-accel-buffering",
        "X-Accel-Expires",
        "X-Sendfile",
        "X-SENDFILE-TEMPORARY",
        "X-Sendfile2",
        "X-LIGHTTPD-send-file",
        "X-Lighttpd-Send-Tempfile",
        "X-LiteSpeed-Location",
        "X-Reproxy-URL",
        "X-Reproxy-File",
        "X-AppEngine-BlobKey",
        "X-Envoy-Immediate-Health-Check-Fail",
        "Surrogate-Control",
        "Edge-Control",
        "CDN-Cache-Control",
        "Cloudflare-CDN-Cache-Control",
    ],
)
def test_what_a_browser_or_a_server_would_obey_does_not_come_back(upstream, program, keyed, name):
    upstream.answers(b"<script>alert(1)</script>", Content_Type="text/html")
    upstream.headers[name] = "of-the-service"
    answer = program.get("orders")
    assert answer.status == 200
    assert "of-the-service" not in str(answer.headers)
    assert answer.all("X-Content-Type-Options") == ["nosniff"]
    assert answer.all("Content-Security-Policy") == [
        "sandbox; default-src 'none'; frame-ancestors 'none'"
    ]


def test_what_the_services_connection_names_does_not_come_back(upstream, program, keyed):
    upstream.answers(b"", Connection="X-Hop, close", X_Hop="of-the-service", X_Kept="kept")
    answer = program.get("orders")
    assert (answer.all("X-Hop"), answer.all("X-Kept")) == ([], ["kept"])


@pytest.mark.parametrize("asked_for", ["gzip, br", None])
def test_compression_is_between_the_program_and_the_service(upstream, program, keyed, asked_for):
    upstream.answers(b"\x1f\x8b compressed", Content_Encoding="gzip")
    headers = {"Accept-Encoding": asked_for} if asked_for else {}
    answer = program.get("orders", headers=headers)
    assert upstream.only.all("Accept-Encoding") == [asked_for or "identity"]
    assert answer.body == b"\x1f\x8b compressed"
    assert answer.all("Content-Encoding") == ["gzip"]


def test_the_key_stands_in_a_header_alone(upstream, new_program, program, keyed):
    for answer in (
        new_program().get("orders", query=f"key={program.key}"),
        program.get("orders", f"/{program.key}"),
    ):
        assert (answer.status, answer.problem) == (400, "key-in-address")
    assert upstream.asked == []


def test_what_is_dropped_is_named(upstream, program, keyed):
    upstream.answers(b"", Set_Cookie="a=secret-one", X_Frame_Options="DENY", X_Sendfile="/etc/x")
    upstream.headers["X-Accel-Redirect"] = "/secret-two"
    headers = {"Cookie": "b=secret-three", "X-Original-Url": "/x", "X-Api-Key": "secret-four"}
    answer = program.get("orders", headers=headers)
    (of_request,) = answer.all("Console-Dropped-Request")
    (of_response,) = answer.all("Console-Dropped-Response")
    assert {*of_request.split(", ")} == {"Cookie", "X-Original-Url", "X-Api-Key"}
    assert {*of_response.split(", ")} == {
        "Set-Cookie", "X-Frame-Options", "X-Sendfile", "X-Accel-Redirect",
    }  # fmt: skip
    assert "secret-" not in str(answer.headers)


def test_where_nothing_is_dropped_nothing_is_named(upstream, program, keyed):
    upstream.answers(b"")
    answer = program.get("orders", headers={"X-Trace": "t", "Accept": "text/plain"})
    assert answer.all("Console-Dropped-Request") == answer.all("Console-Dropped-Response") == []


@pytest.mark.parametrize("name", ["X-CSRF-Token", "X-CSRFToken", "X-XSRF-Token"])
def test_tokens_against_forged_requests_pass_in_both_directions(upstream, program, keyed, name):
    upstream.answers(b"")
    upstream.headers[name] = "of-the-service"
    answer = program.get("orders", headers={name: "fetch"})
    assert upstream.only.all(name) == ["fetch"]
    assert answer.all(name) == ["of-the-service"]


@pytest.mark.parametrize("value", ["na\xefve", "na\xc3\xafve \xe2\x82\xac", "a\tb", ""])
def test_a_value_passes_byte_by_byte(listen, settings, program, keyed, value):
    asked: list[bytes] = []
    raw = b"HTTP/1.1 204 No Content\r\nX-Name: " + value.encode("latin-1") + b"\r\n\r\n"
    leading_to(listen(speaking(raw, asked)), settings)
    answer = program.get("orders", headers={"X-Name": value})
    assert b"X-Name: " + value.encode("latin-1") + b"\r\n" in asked[0]
    assert answer.all("X-Name") == [value]


def test_no_header_brings_the_credential_back(upstream, program, keyed):
    upstream.answers(b"", X_Echo="you sent the-key-of-alice", X_Other="kept")
    answer = program.get("orders")
    assert "the-key-of-alice" not in str(answer.headers)
    assert (answer.all("X-Echo"), answer.all("X-Other")) == ([], ["kept"])
    assert answer.all("Console-Dropped-Response") == ["X-Echo"]


def test_no_cache_in_front_gives_an_answer_to_somebody_else(upstream, program, keyed):
    upstream.answers(b"", Cache_Control="public, max-age=600", Vary="Accept")
    answer = program.get("orders")
    assert answer.all("Vary") == ["Accept", "Authorization, Console-User"]
