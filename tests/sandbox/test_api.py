from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.sandbox.visitors import Application, Browser
from tests.servers import SandboxServer

EVERYTHING = "profile.read contacts.read contacts.write orders.read orders.write"
Call = Callable[..., requests.Response]


@pytest.fixture(params=["bearer", "basic", "key"])
def call(
    request: pytest.FixtureRequest,
    sandbox: SandboxServer,
    alice: Browser,
    application: Application,
) -> Call:
    """Call the API as alice, with each of the three ways of authentication."""
    if request.param == "bearer":
        token = application.tokens(alice, EVERYTHING)["access_token"]
        prefix, credential = "", {"headers": {"Authorization": f"Bearer {token}"}}
    elif request.param == "basic":
        prefix, credential = "/basic", {"auth": ("alice", sandbox.demo_password)}
    else:
        prefix, credential = "/key", {"headers": {"X-Api-Key": sandbox.demo_password}}

    def send(method: str, path: str, **kwargs: Any) -> requests.Response:
        headers = credential.get("headers", {}) | kwargs.pop("headers", {})
        url = f"{sandbox.url}{prefix}/api{path}"
        return requests.request(
            method, url, auth=credential.get("auth"), headers=headers, timeout=10, **kwargs
        )

    return send


def test_me(call: Call) -> None:
    assert call("GET", "/me").json() == {
        "id": 1,
        "name": "Alice Archer",
        "user_name": "alice",
        "email": "alice@example.com",
    }
    assert call("GET", "/me/").status_code == 200


def test_contacts_are_listed_searched_and_paged(call: Call) -> None:
    found = call("GET", "/contacts?q=LUMEN").json()
    assert [c["name"] for c in found["contacts"]] == ["Chiara Rossi", "Fatima Zahra"]
    assert found["total"] == 2
    page = call("GET", "/contacts?limit=2&offset=1").json()
    assert [c["name"] for c in page["contacts"]] == ["Björn Lindqvist", "Chiara Rossi"]
    assert (page["limit"], page["offset"]) == (2, 1)


def test_a_contact_is_added(call: Call) -> None:
    name = f"Zoë {uuid.uuid4()}"
    answer = call("POST", "/contacts", json={"name": name, "email": "zoe@example.com"})
    assert answer.status_code == 201
    found = call("GET", "/contacts", params={"q": name}).json()["contacts"]
    assert found == [answer.json()]


def test_an_order_is_placed(call: Call) -> None:
    before = call("GET", "/orders").json()["total"]
    answer = call("POST", "/orders", json={"item": "Whiteboard", "quantity": 3})
    assert answer.status_code == 201
    assert (answer.json()["item"], answer.json()["quantity"]) == ("Whiteboard", 3)
    assert call("GET", "/orders").json()["total"] == before + 1


def test_people_see_only_their_own_contacts(sandbox: SandboxServer) -> None:
    answer = requests.get(
        sandbox.url + "/basic/api/contacts", auth=("bob", sandbox.demo_password), timeout=10
    )
    names = [contact["name"] for contact in answer.json()["contacts"]]
    assert names == ["Gwen Parry", "Hiroshi Tanaka", "Inés Molina"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 400),
        (b'"text"', 400),
        (b"\xff\xfe", 400),
        (b"[" * 100_000 + b"]" * 100_000, 400),
        (b'{"name": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}", 400),
        (b'{"name": "\\ud800"}', 400),
        (b'{"name": ["a"]}', 400),
        (b'{"name": ' + b"9" * 10_000 + b"}", 400),
        (b'{"name": NaN, "email": "nan"}', 422),
        (b'{"name": "a\\u0000b"}', 422),
        (b'{"name": ""}', 422),
        (b'{"name": null}', 422),
        (b"{}", 422),
        (json.dumps({"name": "x" * 101}).encode(), 422),
        (b'{"name": "a", "email": "not-an-address"}', 422),
        (b'{"name": "' + b"x" * 3_000_000 + b'"}', 413),
    ],
)
def test_it_refuses_an_invalid_contact(sandbox: SandboxServer, body: bytes, status: int) -> None:
    answer = requests.post(
        sandbox.url + "/key/api/contacts",
        data=body,
        headers={"X-Api-Key": sandbox.demo_password, "Content-Type": "application/json"},
        timeout=10,
    )
    assert answer.status_code == status, answer.text[:500]
    assert answer.json()["error"]
    assert answer.json()["message"]


@pytest.mark.parametrize("quantity", [0, -1, 1001, 10**40, "many", 1.5, True])
def test_it_refuses_an_invalid_quantity(call: Call, quantity: Any) -> None:
    answer = call("POST", "/orders", json={"item": "Chair", "quantity": quantity})
    assert answer.status_code == 422
    assert "quantity" in answer.json()["fields"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=%00", "offset=" + "9" * 5000, "limit=²"],
)
def test_it_refuses_invalid_paging(call: Call, query: str) -> None:
    answer = call("GET", f"/contacts?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_parameter"


@pytest.mark.parametrize("query", ["q=%00", "q=%ff", "q=%zz", "q=%25_%27", "q=" + "x" * 5000])
def test_unusual_searches_find_nothing(call: Call, query: str) -> None:
    answer = call("GET", f"/contacts?{query}")
    assert answer.status_code == 200
    assert answer.json()["total"] == 0


def test_it_refuses_other_methods_and_content_types(call: Call) -> None:
    answer = call("DELETE", "/contacts")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, POST"
    assert call("POST", "/contacts", data={"name": "a"}).status_code == 415


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer wrong", "Bearer \xe9", "bearer a b c"]
)
def test_an_invalid_token_gets_401(sandbox: SandboxServer, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = requests.get(sandbox.url + "/api/me", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert answer.json()["error"] in {"invalid_token", "missing_token"}


def test_a_token_without_the_scope_gets_403(alice: Browser, application: Application) -> None:
    token = application.tokens(alice, "contacts.read")["access_token"]
    assert application.call("/api/contacts", token).status_code == 200
    answer = application.call("/api/contacts", token, method="POST", json={"name": "a"})
    assert answer.status_code == 403
    assert answer.json()["error"] == "insufficient_scope"
    assert (
        'error="insufficient_scope", scope="contacts.write"' in answer.headers["WWW-Authenticate"]
    )


def test_it_refuses_a_token_in_the_query(alice: Browser, application: Application) -> None:
    token = application.tokens(alice)["access_token"]
    answer = requests.get(f"{application.url}/api/me?access_token={token}", timeout=10)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !",
        "Basic YWxpY2U=",
        "Basic YWxpY2U6d3Jvbmc=",
        "Basic \xe9",
        "Basic AAA=",
    ],
)
def test_an_invalid_password_gets_401(sandbox: SandboxServer, header: str) -> None:
    headers = {"Authorization": header.encode("latin-1")}
    answer = requests.get(sandbox.url + "/basic/api/me", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Sandbox", charset="UTF-8"'


@pytest.mark.parametrize("key", [None, "", "wrong"])
def test_an_invalid_key_gets_401(sandbox: SandboxServer, key: str | None) -> None:
    headers = {"X-Api-Key": key} if key is not None else {}
    answer = requests.get(sandbox.url + "/key/api/me", headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_key"


def test_an_unknown_path_gets_json(sandbox: SandboxServer) -> None:
    answer = requests.get(sandbox.url + "/api/nothing", timeout=10)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
