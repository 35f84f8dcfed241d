"""The client for applications, against a console that serves on loopback."""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import developer_console_client as client
import pytest
import requests
from developer_console_client import sessions
from werkzeug.serving import make_server

from connectors.definitions.registry import get_connectors
from console.keys.user_tokens import token_for
from tests.connectors.conftest import Asked, Service, service
from tests.runtime.proxy.conftest import keyed, nothing_was_called_lately, upstream
from tests.runtime.served_in_process import served_in_process

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url() -> Iterator[str]:
    """Serve the console as production does."""
    with served_in_process() as url:
        yield url


@pytest.fixture
def elsewhere() -> Iterator[Any]:
    """Another host that has files, and records the headers of each request."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = list(self.headers.items())
            query = parse_qs(parts.query)
            asked.append(
                Asked(method="GET", path=parts.path, query=query, headers=headers, body=b"")
            )
            self.send_response(200)
            self.send_header("Content-Length", "8")
            self.end_headers()
            self.wfile.write(b"the file")

    asked: list[Asked] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    port = server.server_address[1]
    found = Service(url=f"http://127.0.0.1:{port}", port=port)
    found.asked = asked
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def key(key_of) -> str:
    return key_of()


@pytest.fixture
def console(url, key) -> client.Console:
    return client.Console(url, key)


@pytest.fixture
def orders(console, keyed, upstream) -> Iterator[requests.Session]:
    with console.connection("orders") as session:
        yield session


def test_a_path_is_the_path_at_the_service(orders, upstream):
    upstream.answers({"orders": [1]})
    response = orders.get("/orders", params={"q": "a b"}, headers={"X-Mine": "1"})
    assert response.json() == {"orders": [1]}
    assert upstream.only.path == "/key/api/orders"
    assert upstream.only.query == {"q": ["a b"]}
    assert upstream.only.all("X-Mine") == ["1"]
    assert upstream.only.all("X-Api-Key") == ["the-key-of-alice"]


@pytest.mark.parametrize("path", ["/orders", "orders", b"/orders"])
def test_with_or_without_its_slash(orders, upstream, path):
    orders.get(path)
    assert upstream.only.path == "/key/api/orders"


@pytest.mark.parametrize(
    "path", ["/projects/group%2Fproject", "/queues/%2F/orders", "/a%20b/%C3%A9", ""]
)
def test_a_path_arrives_as_it_was_written(orders, upstream, path):
    orders.get(path)
    assert upstream.only.path == f"/key/api{path}"


def test_a_redirect_to_a_file_elsewhere_is_followed_without_the_key(
    console, connect, grant, developer, application, studio, upstream, elsewhere
):
    own = connect("sandbox_api_key", link_name="own_files", level="logged_in_user")
    grant(own, user=developer, secret={"key": "the-key-of-alice"})
    token = token_for(developer, application, studio, "development")
    upstream.answers(b"", 302, Location=f"{elsewhere.url}/bucket/a%2Fb?signature=%2b1")
    session = console.connection("own_files", user=token)
    assert session.get("/files/1").content == b"the file"
    (asked,) = elsewhere.asked
    assert (asked.path, asked.query) == ("/bucket/a%2Fb", {"signature": ["+1"]})
    assert not asked.all("Authorization") and not asked.all("Console-User")
    assert token not in str(asked.headers) and "dc_dev_" not in str(asked.headers)


def test_a_redirect_within_the_api_keeps_to_the_console(orders, upstream, settings, url):
    settings.PUBLIC_URL = url
    upstream.answers(b"", 302, Location="/key/api/orders/2")
    with pytest.raises(requests.TooManyRedirects):
        orders.get("/orders/1")
    assert {asked.path for asked in upstream.asked} == {"/key/api/orders/1", "/key/api/orders/2"}
    assert all(asked.all("X-Api-Key") == ["the-key-of-alice"] for asked in upstream.asked)


def test_links_to_more_pages_can_be_followed(orders, upstream, settings, url):
    settings.PUBLIC_URL = url
    upstream.answers({"orders": [1]}, Link='<?page=2>; rel="next"')
    following = orders.get("/orders").links["next"]["url"]
    orders.get(following)
    assert upstream.asked[1].query == {"page": ["2"]}
    assert upstream.asked[1].all("X-Api-Key") == ["the-key-of-alice"]


def test_what_is_sent_arrives(orders, upstream):
    orders.post("/orders", json={"item": "pump"})
    orders.put("/orders/1", data=iter([b"a", b"b"]))
    assert [each.method for each in upstream.asked] == ["POST", "PUT"]
    assert upstream.asked[0].body == b'{"item": "pump"}'


@pytest.mark.parametrize("size", [0, 3, sessions.IN_MEMORY_BYTES + 3])
def test_a_body_of_unknown_length_is_sent_with_its_length(orders, upstream, size):
    """Not every server before a console tells whether a body in chunks is whole."""
    half = size // 2
    orders.put("/orders/1", data=iter(["a" * half, b"b" * (size - half)]))
    assert upstream.only.body == b"a" * half + b"b" * (size - half)
    assert upstream.only.all("Content-Length") == [str(size)]
    assert upstream.only.all("Transfer-Encoding") == []


def test_a_body_that_cannot_be_read_is_not_sent(orders, upstream):
    def pieces():
        yield b"a"
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        orders.put("/orders/1", data=pieces())
    assert upstream.asked == []


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_what_the_service_answers_is_no_problem_of_ours(orders, upstream, status):
    upstream.answers(
        {"type": "about:blank"},
        status,
        Content_Type="application/problem+json",
        Retry_After="1",
        Console_Problem="key-refused",
    )
    assert orders.get("/orders").status_code == status
    assert len(upstream.asked) == 1


def test_it_streams(orders, upstream):
    upstream.answers(b"x" * 300_000)
    with orders.get("/orders", stream=True) as response:
        assert sum(len(piece) for piece in response.iter_content(8192)) == 300_000


def test_who_has_to_authorize_is_told_where(console, connect, settings):
    connection = connect(name="People", link_name="people")
    with pytest.raises(client.AuthorizationRequired) as caught:
        console.connection("people").get("/contacts")
    assert caught.value.url.startswith(f"{settings.PUBLIC_URL}/connections/{connection.pk}/")
    assert (caught.value.slug, caught.value.status) == ("authorization-required", 409)
    assert isinstance(caught.value, requests.RequestException)
    assert "People" in str(caught.value)


def test_a_problem_of_a_head_has_no_document(console, connect):
    connect(name="People", link_name="people")
    with pytest.raises(client.AuthorizationRequired, match="Authorization required") as caught:
        console.connection("people").head("/contacts")
    assert caught.value.url == ""


@pytest.mark.parametrize("key", ["", "nonsense", "dc_dev_x"])
def test_a_wrong_key_is_said(url, keyed, upstream, key):
    with pytest.raises(client.KeyRefused, match="missing or invalid"):
        client.Console(url, key).connection("orders").get("/orders")
    with pytest.raises(client.KeyRefused):
        client.Console(url, key).run("anything")


def test_another_name_is_not_there(console):
    for call in (console.connection("nothing").get, lambda path: console.run("nothing")):
        with pytest.raises(client.NotThere, match="nothing"):
            call("/x")


def test_a_person_calls_for_himself(
    console,
    connect,
    grant,
    developer,
    application,
    studio,
    upstream,
):
    own = connect(name="Own mail", link_name="own_mail", level="logged_in_user")
    grant(own, user=developer, secret={"access_token": "of-the-developer"})
    with pytest.raises(client.UserTokenRefused, match=r"does not name a person"):
        console.connection("own_mail").get("/me")
    with pytest.raises(client.UserTokenRefused, match="does not prove"):
        console.connection("own_mail", user="developer").get("/me")
    token = token_for(developer, application, studio, "development")
    console.connection("own_mail", user=token).get("/me")
    assert upstream.only.all("Authorization") == ["Bearer of-the-developer"]
    assert upstream.only.all("Console-User") == []
    (told,) = console.connections(user=token)
    assert told["state"] == "active"


def test_a_service_that_is_away_is_said(orders, upstream, settings):
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1:1"]
    get_connectors.cache_clear()
    with pytest.raises(client.ServiceUnavailable) as caught:
        orders.get("/orders")
    assert (caught.value.slug, caught.value.status) == ("service-unreachable", 502)


@pytest.mark.parametrize(
    "address", ["https://evil.example/x", "http://localhost:1/x", "/../../../connections/"]
)
def test_the_key_goes_nowhere_else(orders, upstream, address):
    with pytest.raises(requests.exceptions.InvalidURL, match="Pass the path at the service"):
        orders.get(address)
    assert upstream.asked == []


def test_an_address_that_the_console_gave_is_followed(orders, upstream, url):
    orders.get(f"{url}/api/v1/connections/orders/proxy/orders?page=2")
    assert upstream.only.query == {"page": ["2"]}


def test_older_code_may_sign_as_it_did(orders, upstream, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine localhost login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    orders.headers["Authorization"] = "Bearer of older times"
    orders.get("/orders", auth=("me", "mine"))
    assert upstream.only.all("Authorization") == []


def test_a_function_answers(console, build, upstream, keyed):
    build(
        "Find",
        definition={"calls": [{"connection": "orders", "path": "/orders/{{ input.id }}"}]},
    )
    upstream.answers({"id": 7})
    assert console.run("find", {"id": 7}) == {"id": 7}
    with pytest.raises(client.RunStopped, match="has no value") as caught:
        console.run("find")
    assert caught.value.document["outcome"] == "stopped"


@pytest.fixture
def busy(url, key, monkeypatch) -> Iterator[list[str]]:
    """Act as a console that is busy for two calls, and return the requests."""
    asked: list[str] = []

    def application(environ, start_response):
        asked.append(environ["REQUEST_METHOD"])
        if len(asked) > 2:
            start_response("200 OK", [])
            return [b"{}"]
        start_response("503 Busy", [("Console-Problem", "service-busy"), ("Retry-After", "7")])
        return [b'{"type": "http://x/problems/service-busy", "detail": "Busy."}']

    waited: list[float] = []
    monkeypatch.setattr(sessions.time, "sleep", waited.append)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield [f"http://localhost:{server.server_port}", asked, waited]
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_it_waits_as_long_as_it_is_told(busy, key, method):
    url, asked, waited = busy
    assert client.Console(url, key).connection("orders").request(method, "/x").ok
    assert (asked, waited) == ([method] * 3, [7.0, 7.0])


@pytest.mark.parametrize(
    ("method", "body"), [("POST", b"x"), ("PATCH", b"x"), ("PUT", iter([b"x"]))]
)
def test_it_never_repeats_what_might_happen_twice(busy, key, method, body):
    url, asked, waited = busy
    with pytest.raises(client.ServiceUnavailable, match="Busy"):
        client.Console(url, key).connection("orders").request(method, "/x", data=body)
    assert (asked, waited) == ([method], [])


def test_it_needs_names_and_an_address(console):
    for name in ("", "../x", "Zoho CRM", "a/b"):
        with pytest.raises(ValueError, match="is not a link name"):
            console.connection(name)
    with pytest.raises(ValueError, match="begins with https"):
        client.Console("console.example", "key")
    assert "dc_dev" not in repr(console)
