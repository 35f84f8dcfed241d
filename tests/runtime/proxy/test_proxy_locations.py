"""Addresses in the headers of an answer: those of the API lead through the console, others pass."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from tests.runtime.proxy.program import leading_to, speaking

PROXY = "http://console.test/api/v1/connections/orders/proxy"
NAMES = ["Location", "Content-Location", "Operation-Location", "Azure-AsyncOperation"]
REFERENCES = [
    # In the API.
    ("/key/api/contacts/8?x=1", f"{PROXY}/contacts/8?x=1"),
    ("8", f"{PROXY}/8"),
    ("?page=2", f"{PROXY}/contacts?page=2"),
    ("", f"{PROXY}/contacts"),
    ("/key/api", PROXY),
    ("/key/api?cursor=a%2Fb#end", f"{PROXY}?cursor=a%2Fb#end"),
    ("/key/api/group%2Fproject", f"{PROXY}/group%2Fproject"),
    ("{url}/key/api/contacts/8", f"{PROXY}/contacts/8"),
    ("HTTP://127.0.0.1:{port}/key/api/contacts/8", f"{PROXY}/contacts/8"),
    ("/key/api/na\xc3\xafve b", f"{PROXY}/na%C3%AFve%20b"),
    # At the service, but not in the API: absolute, for the program would ask the console.
    ("/elsewhere", "{url}/elsewhere"),
    ("/key/apiary/8", "{url}/key/apiary/8"),
    ("/key/api/../../elsewhere", "{url}/elsewhere"),
    ("../../../elsewhere", "{url}/elsewhere"),
    ("/key/api/%2e%2e/elsewhere", "{url}/key/api/%2e%2e/elsewhere"),
    ("//evil.example/key/api/8", "http://evil.example/key/api/8"),
    # Elsewhere: as it is.
    ("http://evil.example/key/api/8", "http://evil.example/key/api/8"),
    (
        "https://bucket.s3.example/a%20b?X-Amz-Signature=0f&X-Amz-Expires=60&x=%7e+",
        "https://bucket.s3.example/a%20b?X-Amz-Signature=0f&X-Amz-Expires=60&x=%7e+",
    ),
    ("https://127.0.0.1:{port}/key/api/8", "https://127.0.0.1:{port}/key/api/8"),
    ("http://user@127.0.0.1:{port}/key/api/8", "http://user@127.0.0.1:{port}/key/api/8"),
    ("com.example.app://done?code=1", "com.example.app://done?code=1"),
    ("http://[", "http://["),
]


@pytest.fixture
def answered(upstream, program, keyed):
    """Let the service answer with these headers, and return what the program gets."""

    def ask(status: int = 200, path: str = "/contacts", **headers: str):
        upstream.answers(b"", status, **headers)
        return program.get("orders", path)

    return ask


@pytest.mark.parametrize(("reference", "comes_back"), REFERENCES)
def test_a_location_can_be_followed(upstream, answered, reference, comes_back):
    reference, comes_back = (
        text.format(url=upstream.url, port=upstream.port) for text in (reference, comes_back)
    )
    answer = answered(302, Location=reference)
    assert answer.all("Location") == [comes_back]
    assert answer.all("Console-Dropped-Response") == []
    assert len(upstream.asked) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 300, 301, 302, 303, 307, 308, 404, 503])
@pytest.mark.parametrize("name", NAMES)
def test_it_passes_with_every_status_and_under_every_name(upstream, answered, status, name):
    for sent, comes_back in (
        ("/key/api/contacts/8", f"{PROXY}/contacts/8"),
        ("https://files.example/8?sig=1", "https://files.example/8?sig=1"),
    ):
        answer = answered(status, **{name.replace("-", "_"): sent})
        assert (answer.status, answer.all(name)) == (status, [comes_back])


KEY = "the+key/of=alice"


@pytest.mark.parametrize(
    "spelled",
    [
        KEY,
        quote(KEY, safe=""),
        quote(KEY, safe="").lower(),
        quote_plus(KEY),
        quote(quote(KEY, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in KEY.encode()),
        b64encode(KEY.encode()).decode(),
        b64encode(KEY.encode()).decode().rstrip("="),
        quote(b64encode(KEY.encode()).decode(), safe=""),
    ],
)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Location", "https://files.example/{}"),
        ("Location", "/key/api/contacts?key={}"),
        ("Content-Location", "//evil.example/?x=1&key={}"),
        ("Link", '<https://evil.example/?key={}>; rel="next"'),
    ],
)
def test_what_holds_the_credential_does_not_pass(
    upstream, program, connect, grant, name, value, spelled
):
    grant(connect("sandbox_api_key", link_name="orders"), secret={"key": KEY})
    upstream.answers(b"", 302)
    upstream.headers[name] = value.format(spelled)
    answer = program.get("orders")
    assert (answer.status, answer.all(name)) == (302, [])
    assert answer.all("Console-Dropped-Response") == [name]
    assert spelled not in str(answer.headers)


def test_a_location_with_user_name_and_password_does_not_pass(upstream, program, connect, grant):
    secret = {"username": "alice", "password": "open-sesame-1"}
    grant(connect("sandbox_basic", link_name="orders"), secret=secret)
    for value in ("alice:open-sesame-1", b64encode(b"alice:open-sesame-1").decode()):
        upstream.answers(b"", 302, Location=f"https://files.example/?u={value}")
        answer = program.get("orders")
        assert answer.all("Location") == []
    upstream.answers(b"", 302, Location="https://files.example/alice")  # the name is no secret
    assert program.get("orders").all("Location") == ["https://files.example/alice"]


@pytest.mark.parametrize(
    ("value", "comes_back"),
    [
        (
            '</key/api/contacts?page=2>; rel="next", <{url}/key/api/contacts?page=9>; rel=last',
            f'<{PROXY}/contacts?page=2>; rel="next", <{PROXY}/contacts?page=9>; rel=last',
        ),
        (
            '<?page=2>;rel=next;title="a, <b>; \\"c\\" </key/api/x>",<3>; rel="prev"',
            f'<{PROXY}/contacts?page=2>;rel=next;title="a, <b>; \\"c\\" </key/api/x>"'
            f',<{PROXY}/3>; rel="prev"',
        ),
        (
            "<https://docs.example/a,b;c>; rel=\"help\"; title*=UTF-8''na%C3%AFve, <>; rel=self",
            "<https://docs.example/a,b;c>; rel=\"help\"; title*=UTF-8''na%C3%AFve, "
            f"<{PROXY}/contacts>; rel=self",
        ),
        ("</terms>; rel=terms-of-service", "<{url}/terms>; rel=terms-of-service"),
        ("nonsense", "nonsense"),
        ("<unfinished; rel=next", "<unfinished; rel=next"),
        ('"<unfinished>; rel=next', f'"<{PROXY}/unfinished>; rel=next'),
    ],
)
def test_links_can_be_followed(upstream, answered, value, comes_back):
    answer = answered(Link=value.replace("{url}", upstream.url))
    assert answer.all("Link") == [comes_back.replace("{url}", upstream.url)]


def test_each_of_many_links_passes(listen, settings, program, keyed):
    raw = b"HTTP/1.1 204 No Content\r\nLink: <1>; rel=prev\r\nlink: <3>; rel=next\r\n\r\n"
    leading_to(listen(speaking(raw, [])), settings)
    links = program.get("orders").all("Link")
    if program.differs("headers of a response whose names differ in case only"):
        links.sort()
    assert links == [f"<{PROXY}/1>; rel=prev", f"<{PROXY}/3>; rel=next"]
