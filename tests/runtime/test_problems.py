from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils.html import escape

from console.keys import rate_limit
from console.keys.errors import AuthenticationFailed
from console.runtime import api
from console.runtime.problem_details import Problem
from console.runtime.problem_types import PROBLEM_TYPES
from tests.runtime.answers import problem


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_its_type_leads_to_an_explanation(db, client, slug):
    path = PROBLEM_TYPES[slug].uri.removeprefix(configured.PUBLIC_URL)
    page = client.get(path)
    assert page.status_code == 200
    assert escape(PROBLEM_TYPES[slug].title) in page.content.decode()
    assert 400 <= PROBLEM_TYPES[slug].status < 600


def test_another_type_is_none(db, client):
    assert client.get("/problems/nothing").status_code == 404


def test_every_refusal_is_a_kind_of_problem():
    def below(kind):
        return {kind} | {each for sub in kind.__subclasses__() for each in below(sub)}

    assert {kind.slug for kind in below(AuthenticationFailed) - {AuthenticationFailed}} <= set(
        PROBLEM_TYPES
    )


def test_it_is_written_as_the_standard_says():
    told = Problem("authorization-required", "Because.", authorize_url="http://x.example")
    assert told.document == {
        "type": "http://console.test/problems/authorization-required",
        "title": PROBLEM_TYPES["authorization-required"].title,
        "status": 409,
        "detail": "Because.",
        "authorize_url": "http://x.example",
    }
    assert told.response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["", "x", "connections", "connections/x", "connections/a/b/c/", "connections/é/",
     "connections/a\x00b/", "functions/", "../admin", "x" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("method", ["get", "post", "delete", "options"])
def test_an_unknown_address_is_a_problem(ask, client, path, method):
    problem(getattr(client, method)(f"/api/v1/{path}"), "not-found", 404)


@pytest.mark.parametrize("path", ["", "/", "/contacts", "/a/b?c=1"])
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "options"])
def test_a_server_without_an_event_loop_says_how_to_start(client, path, method):
    response = getattr(client, method)(f"/api/v1/connections/orders/proxy{path}")
    document = problem(response, "asgi-required", 501)
    assert "granian --interface asginl console.asgi:application" in document["detail"]


def test_what_only_looks_like_a_call_is_unknown(client):
    """Django decodes %2F. Servers that say what was sent do so in ``RAW_URI``."""
    sent = {"RAW_URI": "/api/v1/connections/orders%2Fproxy/x?a=1"}
    problem(client.get("/api/v1/connections/orders/proxy/x", **sent), "not-found", 404)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("post", "connections/", "GET"),
        ("delete", "connections/x/", "GET"),
        ("get", "functions/x/run", "POST"),
        ("options", "functions/x/run", "POST"),
        ("put", "openapi.json", "GET, HEAD"),
    ],
)
def test_another_method_is_a_problem(db, client, method, path, allowed):
    response = getattr(client, method)(f"/api/v1/{path}")
    problem(response, "method-not-allowed", 405)
    assert response["Allow"].startswith(allowed)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic eDp5"])
def test_without_a_key_nothing_opens(db, client, header):
    headers = {} if header is None else {"Authorization": header}
    response = client.get("/api/v1/connections/", headers=headers)
    problem(response, "key-refused", 401)
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_key_in_the_query_is_a_problem(key_of, client):
    key = key_of()
    response = client.get(f"/api/v1/connections/?key={key}")
    assert key not in response.content.decode()
    problem(response, "key-in-address", 400)


def test_guessing_is_a_problem(db, client):
    now = time.time()
    for minute in (now, now + 60):
        cache.set(rate_limit._count("127.0.0.1", minute), rate_limit.LIMIT)
    response = client.get("/api/v1/connections/", headers={"Authorization": "Bearer guess"})
    problem(response, "too-many-wrong-keys", 429)
    assert 1 <= int(response["Retry-After"]) <= 60


def test_a_session_opens_nothing(developer_client):
    problem(developer_client.get("/api/v1/connections/"), "key-refused", 401)


def test_no_cookie_is_asked_for_or_set(ask, developer_client, key_of):
    client = Client(enforce_csrf_checks=True)
    client.cookies = developer_client.cookies
    headers = {"Authorization": f"Bearer {key_of()}", "Origin": "https://evil.example"}
    response = client.post(
        "/api/v1/functions/x/run", {}, content_type="application/json", headers=headers
    )
    problem(response, "function-not-found", 404)
    assert not any(name.startswith("Access-Control-") for name in response.headers)


def test_a_silent_database_is_a_problem(rf):
    response = api._failed(rf.get("/"), OperationalError("password=secret"))
    assert response.status_code == 503
    assert response["Retry-After"] == "2"
    assert b"secret" not in response.content


def test_a_fault_of_ours_tells_nothing(rf, caplog):
    response = api._failed(rf.get("/"), ValueError("a secret"))
    assert (response.status_code, b"secret" in response.content) == (500, False)
    assert "has failed" in caplog.text


def test_the_guide_names_every_type():
    guide = Path(configured.BASE_DIR, "docs/guides/developer.md").read_text()
    named = set(re.findall(r"^\| `([a-z-]+)` \|", guide, re.MULTILINE))
    assert set(PROBLEM_TYPES) <= named
