from __future__ import annotations

import json
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from connections.calls import prepared_call
from connections.models import Authorization, Connection, Credential
from console.choices import Level
from console.invocations.models import Invocation
from console.keys.authentication import VALID_SECONDS
from console.keys.models import ApiKey


def test_it_passes_a_call_on_and_the_answer_back(upstream, program, keyed):
    upstream.answers({"contacts": []}, 203, X_Rate_Left="5", ETag='"7"')

    answer = program.call(
        "POST", "orders", "/contacts/7", query="b=2&a=1&b=%20x", body=b'{"a": 1}',
        headers={"X-Trace": "t", "Content-Type": "application/json"},
    )  # fmt: skip

    assert (answer.status, answer.json()) == (203, {"contacts": []})
    assert (answer.all("X-Rate-Left"), answer.all("ETag")) == (["5"], ['"7"'])
    asked = upstream.only
    assert (asked.method, asked.path, asked.body) == ("POST", "/key/api/contacts/7", b'{"a": 1}')
    assert asked.query == {"b": ["2", " x"], "a": ["1"]}
    assert asked.all("X-Api-Key") == ["the-key-of-alice"]
    assert asked.all("X-Trace") == ["t"]
    assert asked.all("Content-Type") == ["application/json"]


@pytest.mark.parametrize(
    "status", [200, 204, 301, 302, 303, 304, 307, 308, 400, 403, 404, 429, 500]
)
def test_every_status_of_the_service_is_passed_on(upstream, program, keyed, status):
    upstream.answers(b"" if status in {204, 304} else b"what it says", status)
    answer = program.get("orders")
    assert (answer.status, answer.body) == (status, upstream.body)
    assert len(upstream.asked) == 1
    assert answer.is_by_nginx is program.is_nginx


def test_what_is_not_a_call_goes_to_django(program):
    for path in ("/", "/api/v1/connections/", "/api/v1/connections/x/", "/x/proxy/"):
        assert program.ask(program.scope("GET", path)).status == 299


def test_without_a_key_nothing_is_told(upstream, new_program, keyed):
    answer = new_program().get("orders")
    assert (answer.status, answer.problem) == (401, "key-refused")
    assert answer.all("WWW-Authenticate") == ["Bearer"]
    assert upstream.asked == []


def test_a_link_name_that_is_nobodys(upstream, program, keyed):
    answer = program.get("elsewhere")
    assert (answer.status, answer.problem) == (404, "connection-not-found")


def test_a_connection_of_another_application_is_not_there(
    upstream, connect, grant, developer, stranger_organization, stranger, new_program
):
    from console.applications.models import Application
    from console.keys.issuing import create_key

    connection = connect("sandbox_api_key", link_name="orders")
    grant(connection, secret={"key": "the-key-of-alice"})
    other = Application.objects.create(
        organization=stranger_organization, name="Other", link_name="other"
    )
    text = create_key(other, stranger_organization, "development", stranger, "P")[1]
    assert new_program(text).get("orders").problem == "connection-not-found"
    assert upstream.asked == []


def test_what_stage_does_not_hold_is_not_there(upstream, keyed, key_of, new_program):
    answer = new_program(key_of("stage")).get("orders")
    assert (answer.status, answer.problem) == (404, "connection-not-found")
    assert "Stage" in answer.json()["detail"]


def test_stage_acts_as_it_was_released(upstream, keyed, key_of, new_program):
    from connections.models import ReleasedConnection

    document = keyed.snapshot.as_document() | {"name": "Orders as released"}
    ReleasedConnection.objects.create(
        connection=keyed, environment="stage", number=1, document=document
    )
    assert new_program(key_of("stage")).get("orders").status == 200


def test_without_authorization_it_says_where_to_authorize(upstream, program, connect):
    connection = connect("sandbox_api_key", link_name="orders")
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (409, "authorization-required")
    assert answer.json()["authorize_url"] == (
        f"http://console.test/connections/{connection.pk}/authorize/?environment=all"
    )
    assert upstream.asked == []


@pytest.mark.parametrize(
    ("state", "problem"),
    [
        ("revoked", "authorization-required"),
        ("needs_authorization", "authorization-broken"),
        ("unknown_outcome", "authorization-broken"),
    ],
)
def test_an_authorization_that_does_not_hold_is_not_used(upstream, program, keyed, state, problem):
    Authorization.objects.update(state=state, reason="Because of this.")
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (409, problem)
    assert "Because of this." in answer.json()["detail"]
    assert upstream.asked == []


def test_who_acts_for_people_must_be_told_for_whom(upstream, program, connect):
    connect("sandbox_api_key", link_name="orders", level=Level.LOGGED_IN_USER)
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (401, "user-token-required")


def test_a_bare_name_is_refused(upstream, program, keyed, developer):
    answer = program.get("orders", headers={"Console-User": developer.email})
    assert (answer.status, answer.problem) == (401, "user-token-refused")
    assert upstream.asked == []


def test_each_person_acts_for_himself(
    upstream, program, connect, grant, application, developer, super_admin
):
    from console.keys.user_tokens import token_for

    connection = connect("sandbox_api_key", link_name="orders", level=Level.LOGGED_IN_USER)
    grant(connection, user=developer, secret={"key": "the-key-of-developer"})
    for person, status in ((developer, 200), (super_admin, 409)):
        token = token_for(person, application, application.organization, "development")
        answer = program.get("orders", headers={"Console-User": token})
        assert answer.status == status
    assert upstream.only.all("X-Api-Key") == ["the-key-of-developer"]
    assert upstream.only.all("Console-User") == []


def test_where_permissions_are_missing_the_service_decides(upstream, program, connect, grant):
    grant(connect(link_name="customers"), scopes_granted=[])
    upstream.answers({"error": "insufficient_scope"}, 403)
    assert program.get("customers").status == 403


def test_warm_calls_ask_the_database_twice_a_second_at_most(upstream, program, keyed):
    began = time.monotonic()
    program.get("orders")

    def checks() -> int:
        """Return how often it was time to check: on a busy machine this takes a while."""
        return int((time.monotonic() - began) / (VALID_SECONDS / 2))

    with CaptureQueriesContext(connection) as queries:
        for _ in range(20):
            assert program.get("orders").status == 200
        # The key's, and the connection's.
        assert len(queries) <= 2 * checks()
        program.a_second_later()
        began, before = time.monotonic(), len(queries)
        for _ in range(5):
            assert program.get("orders").status == 200
        assert 2 <= len(queries) - before <= 2 + 2 * checks()


@pytest.mark.parametrize("change", ["revoked", "deleted", "key", "version", "replaced", "edited"])
def test_what_changes_counts_a_second_later(upstream, program, keyed, grant, change):
    assert program.get("orders").status == 200
    if change == "revoked":
        Authorization.objects.update(state="revoked")
    elif change == "deleted":
        Credential.objects.all().delete()
    elif change == "key":
        from django.utils import timezone

        ApiKey.objects.update(revoked_at=timezone.now())
    elif change == "version":
        credential = Credential.objects.get()
        credential.secret, credential.version = {"key": "the-new-key"}, 2
        credential.save()
    elif change == "replaced":
        Authorization.objects.all().delete()
        grant(keyed, secret={"key": "the-new-key"})
    else:
        keyed.level = Level.LOGGED_IN_USER
        keyed.save()
    program.a_second_later()
    answer = program.get("orders")
    if change in {"version", "replaced"}:
        assert upstream.asked[-1].all("X-Api-Key") == ["the-new-key"]
    else:
        assert answer.status in {401, 409}
        assert len(upstream.asked) == 1


def test_every_call_leaves_a_line(upstream, program, keyed, developer):
    upstream.answers(b"12345", 201)
    program.call("PUT", "orders", "/contacts/a%20b", query="q=secret-word", body=b"1234567")
    program.get("orders", "/../x")
    program.write_log()
    good, bad = Invocation.objects.order_by("status")
    assert (good.method, good.path, good.status, good.problem) == (
        "PUT", "/key/api/contacts/a%20b", 201, "",
    )  # fmt: skip
    assert (good.bytes_in, good.bytes_out, good.refreshed) == (7, 5, False)
    assert good.host == f"127.0.0.1:{upstream.port}"
    assert good.connection == keyed
    assert good.key_prefix and program.key.startswith(good.key_prefix)
    assert (bad.status, bad.problem) == (400, "path-refused")
    told = json.dumps(list(Invocation.objects.values()), default=str)
    assert "secret-word" not in told and "the-key-of-alice" not in told
    assert program.key not in told


def test_the_service_being_away_is_said(program, keyed, upstream, settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.1:9"]
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    from connectors.definitions.registry import get_connectors

    get_connectors.cache_clear()
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (502, "service-unreachable")


def test_a_private_address_is_not_called(program, keyed, upstream, settings):
    settings.ALLOWED_PRIVATE_HOSTS = []
    answer = program.get("orders")
    assert answer.status in {400, 502}
    assert upstream.asked == []


def test_a_service_that_left_the_catalogue(upstream, program, keyed):
    Connection.objects.update(connector_slug="gone")
    assert program.get("orders").problem == "service-gone"


def test_a_secret_that_does_not_open(upstream, program, keyed, settings):
    from cryptography.fernet import Fernet

    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]
    answer = program.get("orders")
    assert answer.status == 503
    assert upstream.asked == []


def test_a_call_that_goes_round_in_a_circle(upstream, program, keyed):
    program.get("orders")
    token = upstream.only.all("CDN-Loop")[0]
    answer = program.get("orders", headers={"CDN-Loop": f"another, {token}"})
    assert (answer.status, answer.problem) == (508, "loop")


def test_what_is_revoked_while_it_is_read_is_not_kept(upstream, program, keyed, monkeypatch):
    """Between reading the authorization and calling, somebody revokes it."""

    read = prepared_call.find_connection
    calls: list[int] = []

    def resolving(*arguments):
        state = read(*arguments)
        calls.append(1)
        if len(calls) == 2:
            Authorization.objects.update(state="revoked", changed_at="2030-01-01T00:00Z")
        return state

    monkeypatch.setattr(prepared_call, "find_connection", resolving)
    program.get("orders")
    program.a_second_later()
    assert program.get("orders").status == 409
