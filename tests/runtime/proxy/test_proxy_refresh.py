"""The API refuses a credential: when it is renewed, and what ends an authorization.

Security.md F10, F11 and X20. No outage may take an authorization away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from connections.calls import prepared_call
from connections.models import Authorization, Credential, OAuthClient
from console.audit.models import Event
from console.health.notices import send_notices
from console.runtime.proxy_app import REPLAYED_BYTES
from tests.token_service import (
    TokenService,
    answering,
    hangs_up,
    in_the_catalogue,
    late,
    token_service,
)

State = Authorization.State
LARGE = b"x" * (REPLAYED_BYTES + 1)
HTML = b"<html><h1>Please wait</h1></html>"


@pytest.fixture(scope="module")
def running() -> Iterator[TokenService]:
    with token_service() as service:
        yield service


@pytest.fixture
def added() -> dict[str, str]:
    """What a test adds to the definition of the service."""
    return {}


@pytest.fixture
def issuer(running, settings, tmp_path, added) -> Iterator[TokenService]:
    """A service whose tokens have all ended, and which gives new ones."""
    fresh = TokenService(url=running.url)
    running.__dict__.update(fresh.__dict__)
    with in_the_catalogue(running, settings, tmp_path, **added):
        yield running


@pytest.fixture
def customers(issuer, connect, grant) -> str:
    """The link name of a connection whose access token has ended early."""
    OAuthClient.objects.create(connector_slug="sandbox", client_id="c", client_secret="s")
    connection = connect(name="Customers", link_name="customers")
    now = timezone.now()
    grant(connection, obtained_at=now, expires_at=now + timedelta(hours=1))
    return connection.link_name


def row() -> Credential:
    return Credential.objects.get()


def state() -> str:
    return Authorization.objects.get().state


def the_time_comes() -> None:
    """Let the waiting time before the next refresh pass."""
    Credential.objects.update(retry_at=None)
    prepared_call._prepared.clear()


def test_a_refused_token_is_renewed_and_the_call_repeated(issuer, program, customers):
    assert program.get(customers).status == 200
    assert len(issuer.token_requests) == 1
    assert program.logged()["refreshed"] is True
    assert program.get(customers).status == 200
    assert len(issuer.token_requests) == 1


def test_a_body_that_is_here_is_sent_again(issuer, program, customers):
    answer = program.call("POST", customers, body=b'{"name": "Zo"}')
    assert answer.status == 200
    assert len(issuer.token_requests) == 1


def test_a_body_that_is_gone_is_not_sent_again_but_the_token_is_renewed(issuer, program, customers):
    answer = program.call("POST", customers, body=LARGE)
    assert answer.status == 401
    assert not answer.all("Console-Problem")
    assert (issuer.called["/api/contacts"], len(issuer.token_requests)) == (1, 1)
    assert state() == State.ACTIVE

    assert program.call("POST", customers, body=LARGE).status == 200
    assert len(issuer.token_requests) == 1


FAULTS: dict[str, Callable[[Any], Any]] = {
    "503": answering(503, b"", Retry_After="1"),
    "429": answering(429, {"error": "slow_down"}),
    "closed": hangs_up,
    "400 and a web page": answering(400, HTML),
    "400 and nothing": answering(400),
    "403 and a web page": answering(403, HTML),
    "200 and a web page": answering(200, HTML),
    "a refused client": answering(401, {"error": "invalid_client"}),
}


@pytest.mark.parametrize("body", [None, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_an_outage_of_the_token_endpoint_takes_nothing_away(
    issuer, program, customers, fault, body
):
    issuer.fault = fault

    answer = program.call("POST", customers, body=body)

    assert (answer.status, answer.problem) == (503, "renewal-failed")
    assert 1 <= int(answer.all("Retry-After")[0]) <= 2
    assert state() == State.ACTIVE
    assert row().refused == ""
    assert issuer.called["/api/me"] == 0  # the check proves nothing with this token
    again = program.get(customers)
    assert (again.status, again.problem) == (503, "renewal-failed")
    assert state() == State.ACTIVE
    send_notices()
    assert mail.outbox == []
    assert not Event.objects.filter(action="authorization.ended").exists()

    issuer.fault = None
    the_time_comes()
    assert program.get(customers).status == 200
    assert row().renewal_problem == ""


def test_an_answer_that_comes_too_late_takes_nothing_away(issuer, program, customers):
    """It takes as long as the console waits for a token endpoint: ten seconds."""
    issuer.fault = late(10.5)
    answer = program.get(customers)
    assert (answer.status, answer.problem) == (503, "renewal-failed")
    assert state() == State.ACTIVE


def test_the_program_may_come_again_when_retry_after_says(issuer, program, customers):
    issuer.fault = FAULTS["503"]
    wait = int(program.get(customers).all("Retry-After")[0])
    left = (row().retry_at - timezone.now()).total_seconds()
    assert left <= wait
    told = program.get(customers)
    assert (row().retry_at - timezone.now()).total_seconds() <= int(told.all("Retry-After")[0])
    assert "problem of its own (status 503)" in told.json()["detail"]


def test_a_refused_client_is_said_in_each_answer(issuer, program, customers):
    issuer.fault = FAULTS["a refused client"]
    for _ in range(3):
        answer = program.get(customers)
        assert answer.problem == "renewal-failed"
        assert "A super admin can fix its client ID and secret." in answer.json()["detail"]
    assert len(issuer.token_requests) == 1


def test_a_clear_no_ends_it(issuer, program, customers):
    issuer.fault = answering(400, {"error": "invalid_grant"})
    answer = program.get(customers)
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    assert answer.json()["authorize_url"].startswith("http://console.test/connections/")
    assert program.get(customers).problem == "authorization-broken"
    assert state() == State.NEEDS_AUTHORIZATION
    assert len(issuer.token_requests) == 1


def test_a_check_that_fails_with_the_new_token_ends_it(issuer, program, customers):
    for path in ("contacts", "me"):
        issuer.answers[f"/api/{path}"] = (401, {}, b"{}")
    answer = program.get(customers)
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    assert state() == State.NEEDS_AUTHORIZATION
    assert (issuer.called["/api/me"], len(issuer.token_requests)) == (1, 1)


def test_a_check_that_cannot_be_made_ends_nothing(issuer, program, customers):
    issuer.answers["/api/contacts"] = (401, {}, b"{}")
    issuer.answers["/api/me"] = (503, {}, b"")
    assert program.get(customers).status == 401
    assert state() == State.ACTIVE


def test_a_path_that_is_not_allowed_costs_one_renewal_for_each_token(issuer, program, customers):
    issuer.answers["/api/admin"] = (401, {}, b'{"message": "You may not do this."}')
    for _ in range(5):
        answer = program.get(customers, "/admin")
        assert (answer.status, answer.json()) == (401, {"message": "You may not do this."})
        prepared_call._prepared.clear()  # another process knows nothing of this one
    assert len(issuer.token_requests) == 1
    assert issuer.called["/api/me"] == 1
    assert state() == State.ACTIVE


def test_a_token_that_was_renewed_early_is_renewed_again_when_it_has_ended(
    issuer, program, customers
):
    """It is not taken for one that only misses a permission."""
    issuer.answers["/api/admin"] = (401, {}, b"{}")
    assert program.get(customers, "/admin").status == 401
    Credential.objects.update(checked_at=timezone.now() - timedelta(minutes=2))
    prepared_call._prepared.clear()
    issuer.withdraw()

    assert program.get(customers).status == 200
    assert len(issuer.token_requests) == 2
    assert state() == State.ACTIVE


def test_that_token_is_renewed_again_after_an_outage(issuer, program, customers):
    assert program.get(customers).status == 200
    issuer.withdraw()
    issuer.fault = FAULTS["503"]
    assert program.get(customers).problem == "renewal-failed"
    issuer.fault = None
    the_time_comes()
    assert program.get(customers).status == 200
    assert state() == State.ACTIVE


@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="x", error="insufficient_scope", scope="admin"',
        "Bearer error=insufficient_scope",
        'Bearer Error = "Insufficient_Scope"',
    ],
)
def test_a_missing_scope_renews_nothing(issuer, program, customers, challenge):
    issuer.answers["/api/admin"] = (401, {"WWW-Authenticate": challenge}, b"{}")
    assert program.get(customers, "/admin").status == 401
    assert issuer.token_requests == []
    assert issuer.called["/api/me"] == 0


def test_invalid_token_is_no_missing_scope(issuer, program, customers):
    challenge = 'Bearer error="invalid_token", error_description="no insufficient_scope here"'
    issuer.refusal = (401, {"WWW-Authenticate": challenge}, b"{}")
    assert program.get(customers).status == 200
    assert len(issuer.token_requests) == 1


def test_a_403_renews_nothing(issuer, program, customers):
    issuer.answers["/api/admin"] = (403, {}, b"{}")
    assert program.get(customers, "/admin").status == 403
    assert issuer.token_requests == []


@pytest.mark.parametrize("added", [{"check": "refused_statuses = [403]"}])
def test_a_403_renews_where_the_service_says_so_of_its_tokens(issuer, program, customers):
    issuer.refusal = (403, {}, b"{}")
    assert program.get(customers).status == 200
    assert len(issuer.token_requests) == 1


@pytest.mark.parametrize("added", [{"oauth2": "grant_ends = [{ status = 400 }]"}])
def test_a_definition_says_how_the_end_of_a_grant_shows(issuer, program, customers):
    issuer.fault = answering(400)
    answer = program.get(customers)
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    assert "no longer accepts this authorization (status 400)" in answer.json()["detail"]
    assert state() == State.NEEDS_AUTHORIZATION


def test_a_token_that_nothing_renews_is_all_there_is(issuer, program, customers):
    credential = row()
    credential.secret = {"access_token": "ended", "refresh_token": ""}
    credential.save()
    answer = program.get(customers)
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    assert issuer.called["/api/me"] == 1
    assert state() == State.NEEDS_AUTHORIZATION


def test_the_clock_ends_nothing_that_a_renewal_extends(issuer, program, customers):
    """The token endpoint was out of order for longer than a refresh token lives."""
    past = timezone.now() - timedelta(minutes=1)
    Credential.objects.update(expires_at=past, ends_at=past, is_extended=True)
    issuer.fault = FAULTS["503"]
    assert program.get(customers).problem == "renewal-failed"
    assert state() == State.ACTIVE
    issuer.fault = None
    the_time_comes()
    assert program.get(customers).status == 200


def test_a_key_that_is_refused_as_a_whole_needs_a_person(upstream, program, keyed):
    upstream.answers(b"{}", 401)
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    *calls, check = [asked.path for asked in upstream.asked]
    # The console makes the call that nginx has made once more.
    times = 2 if program.differs("a call that the service answers with 401") else 1
    assert (calls, check) == (["/key/api/contacts"] * times, "/key/api/me")


def test_a_key_is_checked_once_a_minute_at_most(upstream, program, keyed):
    upstream.answers(b"{}", 401)
    Credential.objects.update(checked_at=timezone.now())
    for _ in range(3):
        assert program.get("orders").status == 401
    assert {asked.path for asked in upstream.asked} == {"/key/api/contacts"}


def test_nothing_is_sent_again_for_an_error_of_the_service(upstream, program, signed):
    upstream.answers(b"{}", 500)
    for method in ("GET", "POST"):
        assert program.call(method, "customers").status == 500
    assert len(upstream.asked) == 2


@pytest.mark.django_db(transaction=True)
def test_many_refused_calls_at_once_make_one_renewal(issuer, program, customers):
    assert {answer.status for answer in program.at_once(8, customers)} == {200}
    assert len(issuer.token_requests) == 1


@pytest.mark.django_db(transaction=True)
def test_many_calls_without_the_permission_make_one_renewal(issuer, program, customers):
    issuer.answers["/api/admin"] = (401, {}, b"{}")
    assert {answer.status for answer in program.at_once(8, customers, "/admin")} == {401}
    assert len(issuer.token_requests) == 1
