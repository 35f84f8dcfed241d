"""A path and a query arrive as they were sent, and never outside the API (security.md X1)."""

from __future__ import annotations

import pytest

from connections.calls.exchange import ServiceRequest
from connections.calls.invoking import invoke
from connectors.definitions.registry import get_connectors
from connectors.http.ssrf import MAX_TARGET_LENGTH
from tests.connections.call_helpers import state_of
from tests.runtime.proxy.program import CALLS, leading_to, speaking


@pytest.mark.parametrize(
    "path",
    [
        "/../me",
        "/a/../../me",
        "/..",
        "/./../x",
        "/%2e%2e/x",
        "/%2e%2e%2fx",
        "/%252e%252e/x",
        "/%252e%252e%252fx",
        "/..%2fx",
        "/a%2f..%2fx",
        "//evil",
        "/%2Fevil",
        "/%5Cevil",
        "/..;/x",
        "/%2e%2e;a=b/x",
        "/..%5cx",
        "/a/%2E./x",
        "/%25252e%25252e/x",
        "/\\..\\x",
        "//evil.example/x",
        "/..%00/x",
        "/x%00",
        "/.%09./x",
        "/%c0%ae%c0%ae/x",
    ],
)
def test_no_path_leads_out_of_the_api(upstream, program, keyed, path):
    answer = program.get("orders", path)
    assert answer.status == 400
    if not program.differs("invalid escapes in a path") or answer.all("Console-Problem"):
        assert answer.problem == "path-refused"
    assert upstream.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/contacts/",
        "/a%20b",
        "/projects/group%2Fproject",
        "/projects/group%2fproject/x",
        "/queues/%2F/one",
        "/a%3Fb%23c",
        "/a%3fb",
        "/100%25",
        "/%C3%A9",
        "/%FF",
        "/%7e%41",
        "/a%0D%0AX-Evil:1",
        "/a;b=1,c",
        "/a//b",
        "/@evil.example",
        "/http://evil.example/",
        "/!$&'()*+,;=:@-._~",
        "/v1.0/a.b",
        "/a%5Cb",
        "/a%252Fb",
    ],
)
def test_a_path_arrives_as_it_was_sent(listen, settings, program, keyed, path):
    asked: list[bytes] = []
    leading_to(listen(speaking(b"HTTP/1.1 204 No Content\r\n\r\n", asked)), settings)
    assert program.get("orders", path).status == 204
    assert asked[0].startswith(f"GET /key/api{path} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("raw", "arrives"),
    [
        ("/a b", "/a%20b"),
        ('/a"<b>^`{|}', "/a%22%3Cb%3E%5E%60%7B%7C%7D"),
        ("/\xc3\xa9", "/%C3%A9"),
        ("/100%", "/100%25"),
        ("/%zz", "/%25zz"),
        ("/a#b", "/a%23b"),
    ],
)
def test_what_no_request_line_may_hold_is_encoded(upstream, program, keyed, raw, arrives):
    answer = program.get("orders", raw)
    if program.differs("invalid escapes in a path") and answer.status == 400:
        assert upstream.asked == []
    else:
        assert answer.status == 200
        if "#" in raw and program.differs("a fragment in a URL"):
            arrives = raw.partition("#")[0]
        assert upstream.only.path == f"/key/api{arrives}"


@pytest.mark.parametrize(
    "target",
    [f"http://console.test{CALLS}/orders/proxy/a%2Fb", f"{CALLS}/%6frders/proxy/a%2Fb"],
)
def test_it_reads_the_target_in_each_form(upstream, program, keyed, target):
    assert program.ask(program.scope("GET", target, "x=1")).status == 200
    assert (upstream.only.path, upstream.only.query) == ("/key/api/a%2Fb", {"x": ["1"]})


@pytest.mark.parametrize("target", ["*", "http://console.test", f"{CALLS}/orders%2Fproxy/x"])
def test_what_is_no_call_goes_to_django(program, target):
    answer = program.ask(program.scope("GET", target))
    # nginx is no proxy that "*" could be asked about.
    assert answer.status == (400 if target == "*" and program.is_nginx else 299)


@pytest.fixture
def graphql(upstream, settings, tmp_path, connect, grant):
    """A connection whose API has one address, which ends without a slash."""
    (tmp_path / "one_address.toml").write_text(f"""
name = "One Address"
category = "Sandbox"
summary = "An API with one address."
documentation = "{upstream.url}/"
sources = ["{upstream.url}/"]
read_on = "2026-11-24"
sandbox = true
api_base_url = "{upstream.url}/graphql"
check = {{ path = "/me" }}

[api_key]
fields = [{{ name = "key", label = "API key" }}]

[api_key.signing]
header = "X-Api-Key"
value = "{{key}}"
""")
    settings.EXTRA_CATALOGUES = [str(tmp_path)]
    get_connectors.cache_clear()
    connection = connect("one_address", link_name="graphql")
    grant(connection, secret={"key": "the-key-of-alice"})
    return connection


@pytest.mark.parametrize(("path", "arrives"), [("", ""), ("/", "/"), ("/public", "/public")])
def test_no_slash_is_added_to_the_apis_own_address(upstream, program, graphql, path, arrives):
    answer = program.call("POST", "graphql", path, body=b'{"query": "{ me }"}')
    assert answer.status == 200
    assert upstream.only.path == f"/graphql{arrives}"


def test_a_function_reaches_the_apis_own_address_too(upstream, graphql, build):
    build("Ask", definition={"calls": [{"connection": "graphql", "method": "POST", "path": ""}]})
    exchange = invoke(
        ServiceRequest(method="POST", path="", body={"query": "{ me }"}), state_of(graphql)
    )
    assert (exchange.status, exchange.problem) == (200, "")
    assert upstream.only.path == "/graphql"


def test_a_query_keeps_its_order_and_its_spelling(upstream, listen, program, keyed, settings):
    asked: list[bytes] = []
    leading_to(listen(speaking(b"HTTP/1.1 204 No Content\r\n\r\n", asked)), settings)
    query = "b=2&a=%7e1&b=%2f/;c&&x&%zz&q=a b"
    if program.differs("invalid escapes in a path"):
        assert program.get("orders", query=query).status == 400
        assert asked == []
        query = query.replace(" ", "%20")
    program.get("orders", query=query)
    assert asked[0].startswith(
        b"GET /key/api/contacts?b=2&a=%7e1&b=%2f/;c&&x&%25zz&q=a%20b HTTP/1.1\r\n"
    )


def test_a_long_query_arrives(upstream, program, keyed):
    assert program.get("orders", query=f"q={'x' * 9_000}").status == 200
    assert upstream.only.query == {"q": ["x" * 9_000]}


@pytest.mark.parametrize("where", ["path", "query"])
def test_what_is_too_long_says_so(upstream, program, keyed, where):
    long = "x" * MAX_TARGET_LENGTH
    path, query = (f"/{long}", "") if where == "path" else ("/contacts", f"q={long}")
    answer = program.get("orders", path, query=query)
    assert (answer.status, answer.problem) == (414, "address-too-long")
    assert f"at most {MAX_TARGET_LENGTH:,}" in answer.json()["detail"]
    assert upstream.asked == []
