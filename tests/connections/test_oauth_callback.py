from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.models import Authorization, Connection, Credential, Flow
from connections.views.authorize import BROWSER_SESSION_KEY
from tests.connections.flow_steps import (
    allow,
    authorize,
    begin,
    changed,
    flow_at,
    state_of,
    words_of,
)

pytestmark = pytest.mark.usefixtures("oauth_client")


@pytest.fixture
def connection(connect) -> Connection:
    return connect()


@pytest.fixture
def callback(developer_client, connection, alice) -> str:
    """What the service sends back after consent."""
    return allow(alice, begin(developer_client, connection))


def assert_nothing_changed(sandbox) -> None:
    assert sandbox.counts()["token"] == 0
    assert not Authorization.objects.exists()
    assert not Credential.objects.exists()


def test_it_works(developer_client, connection, callback, sandbox):
    response = developer_client.get(callback)

    assert response.status_code == 303
    flow = flow_at(response["Location"])
    assert flow.outcome == Flow.Outcome.COMPLETED
    authorization = connection.authorizations.get()
    assert authorization.display.name == "active"
    assert authorization.credential.label == "alice@example.com"
    assert authorization.credential.scopes_granted == ["profile.read", "contacts.read"]
    assert sandbox.counts()["token"] == 1


def test_it_leads_to_a_clean_address(developer_client, callback):
    response = developer_client.get(callback)

    assert "?" not in response["Location"]
    assert state_of(callback) not in response["Location"]
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"


def test_it_keeps_the_secret_sealed_and_forgets_the_verifier(developer_client, callback):
    flow = flow_at(developer_client.get(callback)["Location"])

    assert flow.code_verifier is None
    assert state_of(callback) not in (flow.state_hash, flow.browser_hash)
    secret = Credential.objects.get().secret
    assert secret.reveal()["access_token"] not in repr(secret)


@pytest.mark.parametrize(
    "query",
    ["", "?code=x", "?state=", "?code=x&state=made-up", "?state=%00", "?state=%ED%A0%80&code=%ff"],
)
def test_it_refuses_a_forged_state(developer_client, callback, sandbox, query):
    path = callback.partition("?")[0]

    response = developer_client.get(path + query)

    assert response.status_code == 400
    assert "Nothing was changed" in words_of(response)
    assert_nothing_changed(sandbox)


def test_it_asks_for_tokens_once_when_it_is_replayed(developer_client, callback, sandbox):
    answers = [developer_client.get(callback) for _ in range(3)]

    assert {answer["Location"] for answer in answers} == {answers[0]["Location"]}
    assert sandbox.counts()["token"] == 1
    assert Authorization.objects.count() == Credential.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_asks_for_tokens_once_when_it_comes_many_times_at_once(
    developer_client, callback, sandbox, at_once
):
    def come_back() -> int:
        client = Client()
        client.cookies = developer_client.cookies
        return client.get(callback).status_code

    assert set(at_once(20, come_back)) == {303}
    assert sandbox.counts()["token"] == 1
    assert Authorization.objects.count() == Credential.objects.count() == 1
    assert Flow.objects.get().outcome == Flow.Outcome.COMPLETED


def test_it_refuses_what_took_too_long(developer_client, callback, sandbox):
    Flow.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    response = developer_client.get(callback)

    flow = flow_at(response["Location"])
    assert flow.outcome == Flow.Outcome.FAILED
    assert "longer than ten minutes" in flow.problem
    assert_nothing_changed(sandbox)


def test_a_flow_lives_ten_minutes(developer_client, callback):
    flow = Flow.objects.get()
    assert flow.expires_at - flow.created_at == pytest.approx(
        timedelta(minutes=10), abs=timedelta(seconds=5)
    )


def test_it_refuses_another_person(callback, member, studio, signed_in, sandbox):
    colleague = signed_in(member(studio, "developer", "colleague@studio.example"))

    response = colleague.get(callback)

    assert response.status_code == 403
    assert "Another person" in words_of(response)
    assert_nothing_changed(sandbox)
    flow = Flow.objects.get()
    assert flow.outcome == Flow.Outcome.FAILED
    assert "Another person or another browser" in flow.problem


def test_it_refuses_another_person_who_signs_in_to_the_same_browser(
    developer_client, callback, member, studio, sandbox
):
    colleague = member(studio, "developer", "colleague@studio.example")
    developer_client.post(reverse("account_logout"))
    developer_client.force_login(colleague)

    assert developer_client.get(callback).status_code == 403
    assert_nothing_changed(sandbox)


def test_it_refuses_another_browser_of_the_same_person(callback, developer, signed_in, sandbox):
    response = signed_in(developer).get(callback)

    assert response.status_code == 403
    assert "another browser" in words_of(response)
    assert_nothing_changed(sandbox)
    assert Flow.objects.get().outcome == Flow.Outcome.FAILED


def test_it_refuses_another_browser_that_began_a_flow_itself(
    callback, developer, signed_in, connect, sandbox
):
    other = signed_in(developer)
    begin(other, connect())

    assert other.get(callback).status_code == 403
    assert_nothing_changed(sandbox)


def test_it_refuses_who_is_not_signed_in(callback, sandbox):
    response = Client().get(callback)

    assert response.status_code == 403
    assert state_of(callback) not in response.content.decode()
    assert_nothing_changed(sandbox)


def test_it_refuses_the_address_of_another_service(developer_client, callback, sandbox):
    elsewhere = reverse("oauth_callback", args=["github"]) + "?" + callback.partition("?")[2]

    response = developer_client.get(elsewhere)

    assert response.status_code == 400
    assert "redirect URI of another service" in words_of(response)
    assert_nothing_changed(sandbox)
    assert developer_client.get(callback).status_code == 303, "the honest address shows the end"
    assert_nothing_changed(sandbox)


@pytest.mark.parametrize("switch", ["wrong_iss", "omit_iss"])
def test_it_refuses_another_issuer_or_none(developer_client, connection, alice, sandbox, switch):
    sandbox.switches(**{switch: True})

    flow = authorize(developer_client, connection, alice)

    assert flow.outcome == Flow.Outcome.FAILED
    assert "does not come from Sandbox" in flow.problem
    assert_nothing_changed(sandbox)


def test_it_shows_both_issuers(developer_client, callback, sandbox):
    own = sandbox.url
    flow = flow_at(developer_client.get(changed(callback, iss=f"{own}/"))["Location"])
    assert f"must be exactly “{own}”" in flow.problem
    assert f"the response names “{own}/”" in flow.problem


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("invalid_scope", "Change the connection's permissions"),
        ("access_denied", "Press Authorize again"),
        ("consent_required", "sign in there, and allow access"),
        ("unauthorized_client", "its client ID and what the client is allowed to do"),
        ("unsupported_response_type", "Contact the operator"),
        ("server_error", "Try again in a few minutes"),
        ("temporarily_unavailable", "Try again in a few minutes"),
    ],
)
def test_it_says_what_to_do_about_an_error(developer_client, connection, alice, error, said):
    callback = allow(alice, begin(developer_client, connection))
    response = developer_client.get(changed(callback, error=error, code=""), follow=True)
    assert said in words_of(response)
    assert "try again." not in words_of(response).lower()


def test_it_names_the_permissions_that_were_asked_for(developer_client, connection, alice):
    callback = allow(alice, begin(developer_client, connection))
    flow = flow_at(developer_client.get(changed(callback, error="invalid_scope"))["Location"])
    for scope in flow.scopes_asked:
        assert scope in flow.problem


@pytest.mark.parametrize("issuer", ["", "https://evil.example", "/"])
def test_it_refuses_a_changed_issuer(developer_client, callback, sandbox, issuer):
    flow = flow_at(developer_client.get(changed(callback, iss=issuer))["Location"])

    assert flow.outcome == Flow.Outcome.FAILED
    assert_nothing_changed(sandbox)


def test_it_refuses_a_code_of_another_flow(developer_client, connection, connect, alice, sandbox):
    first = allow(alice, begin(developer_client, connection))
    second = allow(alice, begin(developer_client, connect()))

    response = developer_client.get(changed(second, state=state_of(first)))

    assert flow_at(response["Location"]).outcome == Flow.Outcome.FAILED
    assert not Authorization.objects.exists()


def test_two_tabs_both_finish(developer_client, connection, connect, alice):
    first = allow(alice, begin(developer_client, connection))
    second = allow(alice, begin(developer_client, connect()))

    for answer in (developer_client.get(second), developer_client.get(first)):
        assert flow_at(answer["Location"]).outcome == Flow.Outcome.COMPLETED


def test_it_uses_the_redirect_uri_of_the_beginning(developer_client, callback, settings):
    settings.PUBLIC_URL = "http://moved.test"

    flow = flow_at(developer_client.get(callback)["Location"])

    assert flow.outcome == Flow.Outcome.COMPLETED, flow.problem


def test_it_says_that_the_person_declined(developer_client, connection, alice, sandbox):
    page = alice.open(begin(developer_client, connection).removeprefix(alice.url))
    back = alice.submit(page).headers["Location"]

    flow = flow_at(developer_client.get(back.removeprefix("http://console.test"))["Location"])

    assert flow.outcome == Flow.Outcome.FAILED
    assert "was declined" in flow.problem
    assert_nothing_changed(sandbox)


@pytest.mark.parametrize(
    "description",
    [
        "<script>alert(1)</script>",
        "x" * 100_000,
        "line\r\nSet-Cookie: a=b",
        "nul\0byte",
        "\u202egnirts",
        "",
    ],
    ids=["script", "long", "crlf", "nul", "direction", "none"],
)
def test_it_takes_any_error_of_the_service(developer_client, callback, sandbox, description):
    error = changed(callback, code=None, error="server_error", error_description=description)

    response = developer_client.get(error)
    page = developer_client.get(response["Location"])

    flow = flow_at(response["Location"])
    assert flow.outcome == Flow.Outcome.FAILED
    assert len(flow.problem) <= 600
    assert not set(flow.problem) & set("\r\n\0\u202e")
    assert page.status_code == 200
    assert b"<script>alert" not in page.content
    assert "server_error" in words_of(page)
    assert_nothing_changed(sandbox)


def test_it_refuses_a_callback_without_a_code(developer_client, callback, sandbox):
    flow = flow_at(developer_client.get(changed(callback, code=None))["Location"])

    assert flow.outcome == Flow.Outcome.FAILED
    assert_nothing_changed(sandbox)


@pytest.mark.parametrize("code", ["\0", "a\r\nb", "\ufffd", "z" * 20_000, "'\"><svg onload=1>"])
def test_it_takes_any_code(developer_client, callback, code):
    flow = flow_at(developer_client.get(changed(callback, code=code))["Location"])

    assert flow.outcome == Flow.Outcome.FAILED
    assert not Authorization.objects.exists()


def test_it_logs_no_code_state_or_token(developer_client, connection, alice, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    callback = allow(alice, begin(developer_client, connection))
    verifier = Flow.objects.get().code_verifier.reveal()

    developer_client.get(callback)
    developer_client.get(callback)

    secret = connection.authorizations.get().credential.secret.reveal()
    code = dict(pair.split("=") for pair in callback.partition("?")[2].split("&"))["code"]
    logged = caplog.text + "".join(capfd.readouterr())
    for value in (code, state_of(callback), verifier, *secret.values(), "console-secret"):
        assert value not in logged


def test_it_refuses_who_was_demoted_meanwhile(developer_client, callback, developer, sandbox):
    developer.memberships.update(role="user")

    flow = flow_at(developer_client.get(callback)["Location"])

    assert flow.outcome == Flow.Outcome.FAILED
    assert "no longer allowed to authorize" in flow.problem
    assert_nothing_changed(sandbox)


def test_it_does_not_break_where_the_clients_secret_does_not_open(
    developer_client, callback, oauth_client, settings, sandbox
):
    settings.CRYPTOGRAPHY_KEYS = [Fernet.generate_key().decode()]

    response = developer_client.get(callback)

    assert response.status_code < 500
    assert Flow.objects.get().outcome == Flow.Outcome.FAILED
    assert_nothing_changed(sandbox)


@pytest.mark.django_db(transaction=True)
def test_it_does_not_break_where_the_connection_is_deleted_meanwhile(
    developer_client, connection, callback, sandbox, at_once
):
    sandbox.switches(token="slow", slow_seconds=2)
    doings = iter([True, False])

    def come_back_or_delete() -> int:
        client = Client()
        client.cookies = developer_client.cookies
        if next(doings):
            return client.get(callback).status_code
        while sandbox.counts()["token"] == 0:
            pass
        return client.post(reverse("connection_delete", args=[connection.pk])).status_code

    assert max(at_once(2, come_back_or_delete)) < 500
    assert not Connection.objects.exists()
    assert not Credential.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_it_rejects_other_methods(developer_client, callback, method):
    assert getattr(developer_client, method)(callback).status_code == 405


@pytest.mark.parametrize("signs_in", [True, False])
def test_it_says_why_it_takes_no_form(developer, callback, sandbox, signs_in):
    """A form comes from another site: without our cookies, and without our token."""
    browser = Client(enforce_csrf_checks=True)
    if signs_in:
        browser.force_login(developer)
    path, _, query = callback.partition("?")

    response = browser.post(path, dict(parse_qsl(query)))

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert response["Referrer-Policy"] == "no-referrer"
    page = words_of(response)
    assert "sent its response as a form (response_mode=form_post)" in page
    assert "nothing was changed" in page
    assert "open for too long" not in page
    assert state_of(callback) not in response.content.decode()
    assert_nothing_changed(sandbox)
    assert Flow.objects.get().outcome == Flow.Outcome.OPEN


@pytest.mark.parametrize("name", ["code", "iss", "error", "error_description", "error_uri"])
def test_it_refuses_a_parameter_that_comes_twice(developer_client, callback, sandbox, name):
    known = dict(parse_qsl(callback.partition("?")[2]))
    twice = urlencode([(name, known.get(name, "one")), (name, "two")])

    response = developer_client.get(f"{changed(callback, **{name: None})}&{twice}")

    assert response.status_code == 400
    assert f"contains “{name}” more than once" in words_of(response)
    assert_nothing_changed(sandbox)
    assert Flow.objects.get().outcome == Flow.Outcome.FAILED
    assert developer_client.get(callback).status_code == 303, "it shows how it ended"
    assert_nothing_changed(sandbox)


@pytest.mark.parametrize("other", ["", "made-up", "the same"])
def test_it_refuses_two_states(developer_client, callback, sandbox, other):
    other = state_of(callback) if other == "the same" else other

    for query in (f"{callback}&state={other}", f"{callback}&{urlencode({'state': other})}"):
        assert developer_client.get(query).status_code == 400

    assert_nothing_changed(sandbox)
    assert Flow.objects.get().outcome == Flow.Outcome.OPEN


def test_it_takes_what_it_does_not_read_as_often_as_it_comes(developer_client, callback):
    response = developer_client.get(f"{callback}&hd=a.example&hd=b.example&scope=x&scope=y")

    assert flow_at(response["Location"]).outcome == Flow.Outcome.COMPLETED


@pytest.mark.parametrize("state", [None, "", "made-up"])
def test_it_shows_the_words_of_an_error_without_its_state(
    developer_client, callback, sandbox, state
):
    error = {"error": "invalid_scope", "error_description": "The scope <b>x</b> is unknown."}

    response = developer_client.get(changed(callback, code=None, state=state, **error))

    assert response.status_code == 400
    assert "invalid_scope: The scope &lt;b&gt;x&lt;/b&gt; is unknown." in response.content.decode()
    assert "The service reported an error:" in words_of(response)
    assert_nothing_changed(sandbox)


@pytest.mark.parametrize(
    "description", ["<script>alert(1)</script>", "x" * 100_000, "a\r\nb", "nul\0", "\u202egnirts"]
)
def test_it_shows_them_cut_and_clean(developer_client, callback, description):
    error = {"error": "server_error", "error_description": description}

    response = developer_client.get(changed(callback, code=None, state=None, **error))

    page = response.content.decode()
    assert response.status_code == 400
    assert "server_error" in page
    assert "<script>alert" not in page
    assert not set(words_of(response)) & set("\r\n\0\u202e")
    assert len(words_of(response)) < 1500


def test_signing_in_gives_the_browser_another_token(developer_client, callback, developer):
    before = developer_client.session[BROWSER_SESSION_KEY]
    developer_client.post(reverse("account_logout"))
    developer_client.force_login(developer)

    assert SESSION_KEY in developer_client.session
    assert developer_client.session.get(BROWSER_SESSION_KEY) != before
