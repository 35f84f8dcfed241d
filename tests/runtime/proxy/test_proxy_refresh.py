"""A 401 with a token that should live: one renewal, one repetition (security.md F10, F11, X20)."""

from __future__ import annotations

import pytest

from connections.models import Authorization, Credential
from console.invocations import recording
from console.runtime.door import REPLAYED_BYTES
from tests.connections.conftest import (  # noqa: F401
    alice,
    connection,
    oauth_client,
    running,
    sandbox,
)


@pytest.fixture
def customers(connection):  # noqa: F811
    """A connection that alice has authorized at a sandbox that runs."""
    return connection


def _withdraw_token(sandbox) -> None:  # noqa: F811
    credential = Credential.objects.get()
    credential.secret = {**credential.secret.reveal(), "access_token": "withdrawn"}
    credential.save()


def test_a_refused_token_is_renewed_and_the_call_repeated(sandbox, program, customers):  # noqa: F811
    _withdraw_token(sandbox)
    answer = program.get(customers.link_name, "/contacts")
    assert answer.status == 200
    assert sandbox.counts()["token"] == 1
    assert recording.writer._rows[-1]["refreshed"] is True
    assert program.get(customers.link_name, "/contacts").status == 200
    assert sandbox.counts()["token"] == 1


def test_a_body_that_is_here_is_sent_again(sandbox, program, customers):  # noqa: F811
    _withdraw_token(sandbox)
    body = b'{"name": "Zo", "company": "Zo & Co"}'
    answer = program.call(
        "POST", customers.link_name, "/contacts", body=body, CONTENT_TYPE="application/json"
    )
    assert answer.status != 401
    assert sandbox.counts()["token"] == 1


def test_what_is_gone_is_not_sent_again(sandbox, program, customers):  # noqa: F811
    _withdraw_token(sandbox)
    answer = program.call(
        "POST", customers.link_name, "/contacts", body=b"x" * (REPLAYED_BYTES + 1)
    )
    assert answer.status in {401, 409}
    assert sandbox.counts()["token"] <= 1


def test_a_403_renews_nothing(upstream, program, signed):
    upstream.answers(b"{}", 403)
    assert program.get("customers").status == 403
    assert len(upstream.asked) == 1


def test_a_service_that_renews_it_no_more_needs_a_person(sandbox, program, customers):  # noqa: F811
    _withdraw_token(sandbox)
    credential = Credential.objects.get()
    credential.secret = {"access_token": "withdrawn", "refresh_token": "withdrawn-too"}
    credential.save()
    answer = program.get(customers.link_name, "/contacts")
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    assert answer.json()["authorize_url"].startswith("http://console.test/connections/")
    again = program.get(customers.link_name, "/contacts")
    assert (again.status, again.problem) == (409, "authorization-broken")
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION


def test_a_key_that_is_refused_as_a_whole_needs_a_person(upstream, program, keyed):
    upstream.answers(b"{}", 401)
    answer = program.get("orders")
    assert (answer.status, answer.problem) == (409, "authorization-broken")
    assert [asked.path for asked in upstream.asked] == ["/key/api/contacts", "/key/api/me"]


def test_nothing_is_sent_again_for_an_error_of_the_service(upstream, program, signed):
    upstream.answers(b"{}", 500)
    for method in ("GET", "POST"):
        assert program.call(method, "customers").status == 500
    assert len(upstream.asked) == 2
