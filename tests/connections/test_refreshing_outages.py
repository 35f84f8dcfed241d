"""Backoff while a token endpoint is down; valid tokens work meanwhile."""

from __future__ import annotations

import io
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import requests
import responses
from django.core.management import call_command
from django.utils import timezone

from connections.credentials.leases import MAX_WAIT, REFUSALS, REFUSED_FOR, backoff
from connections.credentials.refreshing import NeedsAuthorization, NotRenewed, fresh_secret
from connections.models import Authorization, Credential, OAuthClient
from connectors.errors import ServiceError

TOKEN = "https://oauth2.googleapis.com/token"


@pytest.fixture
def credential(connect, grant) -> Credential:
    """Return a credential of Google Sheets with an expired access token."""
    OAuthClient.objects.create(connector_slug="google_sheets", client_id="c", client_secret="s")
    return ended(grant(connect("google_sheets")).credential)


def ended(credential: Credential, ago: timedelta = timedelta(hours=1)) -> Credential:
    now = timezone.now()
    credential.obtained_at, credential.expires_at = now - ago - timedelta(hours=1), now - ago
    credential.save()
    return credential


def living(credential: Credential) -> Credential:
    return ended(credential, -timedelta(minutes=5))


@pytest.fixture
def service():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def again() -> Credential:
    return Credential.objects.select_related("client").get()


def wait_until_asked_again() -> float:
    return (again().retry_at - timezone.now()).total_seconds()


def test_a_second_caller_gets_the_error_at_once_without_a_request(credential, service):
    service.post(TOKEN, status=503)
    with pytest.raises(ServiceError, match="problem of its own"):
        fresh_secret(credential)

    started = time.monotonic()
    with pytest.raises(ServiceError, match=r"tries again in \d+ s") as raised:
        fresh_secret(again())

    assert time.monotonic() - started < 1
    assert 0 < raised.value.retry_after <= 2
    assert len(service.calls) == 1
    assert Authorization.objects.get().state == Authorization.State.ACTIVE


def test_a_valid_token_is_used_until_the_retry(credential, service):
    service.post(TOKEN, status=503)
    living(credential)
    assert fresh_secret(again())["access_token"] == "an-access-token"
    assert fresh_secret(again())["access_token"] == "an-access-token"
    assert len(service.calls) == 1


def test_a_refused_token_is_not_used_until_the_retry(credential, service):
    service.post(TOKEN, status=503)
    living(credential)
    with pytest.raises(ServiceError):
        fresh_secret(again(), force=True)
    with pytest.raises(ServiceError, match="tries again"):
        fresh_secret(again(), force=True)
    assert len(service.calls) == 1


def test_it_retries_after_the_delay(credential, service):
    service.post(TOKEN, status=503)
    service.post(TOKEN, json={"access_token": "new", "expires_in": 3600})
    with pytest.raises(ServiceError):
        fresh_secret(credential)
    Credential.objects.update(retry_at=timezone.now() - timedelta(seconds=1))

    assert fresh_secret(again())["access_token"] == "new"

    row = again()
    assert (row.retry_at, row.failures, row.attempt) == (None, 0, 0)


def test_the_delay_doubles_with_each_failure(credential, service):
    service.post(TOKEN, status=503)
    waits = []
    for _ in range(6):
        with pytest.raises(ServiceError):
            fresh_secret(again())
        waits.append(wait_until_asked_again())
        Credential.objects.update(retry_at=None)
    assert again().failures == 6
    for number, wait in enumerate(waits, start=1):
        assert 2**number * 0.5 - 1 < wait <= 2**number


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("form", ["seconds", "date"])
def test_it_obeys_retry_after(credential, service, status, form):
    date = datetime.now(UTC) + timedelta(seconds=120)
    said = "120" if form == "seconds" else format_datetime(date, usegmt=True)
    service.post(TOKEN, status=status, headers={"Retry-After": said})
    with pytest.raises(ServiceError) as raised:
        fresh_secret(credential)
    assert 117 < wait_until_asked_again() <= raised.value.retry_after <= 133


def test_retry_after_has_a_limit(credential, service):
    service.post(TOKEN, status=429, headers={"Retry-After": "86400"})
    with pytest.raises(ServiceError):
        fresh_secret(credential)
    assert 880 < wait_until_asked_again() <= MAX_WAIT.total_seconds()


def test_the_backoff_has_limits_and_jitter():
    waits = {backoff(3, None) for _ in range(50)}
    assert len(waits) > 10
    assert all(timedelta(seconds=4) <= wait <= timedelta(seconds=8) for wait in waits)
    assert backoff(1000, None) == MAX_WAIT
    assert backoff(1, 10**9) == MAX_WAIT


def test_a_refused_client_ends_no_authorization(credential, service):
    service.post(TOKEN, status=401, json={"error": "invalid_client"})
    with pytest.raises(ServiceError, match="OAuth client"):
        fresh_secret(credential)
    assert Authorization.objects.get().state == Authorization.State.ACTIVE
    assert again().retry_at is not None


def test_a_refused_client_is_stored_in_the_row(credential, service):
    refused = service.post(TOKEN, status=401, json={"error": "invalid_client"})
    for _ in range(2):
        with pytest.raises(NotRenewed, match="A super admin can fix its client ID"):
            fresh_secret(again())
    row = again()
    assert row.client_refused
    assert "does not accept this console's OAuth client (invalid_client)" in row.renewal_problem
    service.remove(refused)
    service.post(TOKEN, json={"access_token": "new", "expires_in": 3600})
    Credential.objects.update(retry_at=None)
    fresh_secret(again())
    assert (again().client_refused, again().renewal_problem) == (False, "")


def test_a_corrected_client_is_tried_at_once(credential, service, tmp_path):
    service.post(TOKEN, status=401, json={"error": "invalid_client"})
    service.post(TOKEN, json={"access_token": "new", "expires_in": 3600})
    with pytest.raises(NotRenewed):
        fresh_secret(credential)
    secret = tmp_path / "secret"
    secret.write_text("the right one")
    register = ["google_sheets", "--client-id", "c", "--client-secret-file", str(secret)]
    call_command("register_client", *register, stdout=io.StringIO())
    assert (again().client_refused, again().renewal_problem) == (False, "")
    assert fresh_secret(again())["access_token"] == "new"


# Unexplained refusals


def refuse(times: int, over: timedelta) -> None:
    """Refresh so many times, spread over this time."""
    for _ in range(times):
        with pytest.raises(ServiceError):
            fresh_secret(again())
        Credential.objects.update(retry_at=None)
        if since := again().refusal_since:
            Credential.objects.update(refusal_since=since - over / (times - 1))


def state() -> str:
    return Authorization.objects.get().state


UNEXPLAINED = {
    "nothing": ({"status": 400}, "400"),
    "a web page": ({"status": 403, "body": "<h1>No</h1>"}, "403"),
    "a code of its own": ({"status": 400, "json": {"error": "not_known"}}, "400 not_known"),
}


@pytest.mark.parametrize(("answer", "said"), UNEXPLAINED.values(), ids=UNEXPLAINED)
def test_a_persistent_refusal_needs_a_person(credential, service, answer, said):
    service.post(TOKEN, **answer)
    refuse(REFUSALS - 1, over=REFUSED_FOR * 2)
    assert state() == Authorization.State.ACTIVE
    with pytest.raises(NeedsAuthorization):
        fresh_secret(again())
    row = Authorization.objects.get()
    assert row.state == Authorization.State.NEEDS_AUTHORIZATION
    assert f"without a reason ({said})" in row.reason
    assert again().refused == ""


def test_many_refusals_in_a_short_time_need_no_person(credential, service):
    service.post(TOKEN, status=400)
    refuse(REFUSALS * 3, over=REFUSED_FOR / 2)
    assert state() == Authorization.State.ACTIVE


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_an_outage_never_needs_a_person_however_long_it_is(credential, service, status):
    service.post(TOKEN, status=status)
    refuse(REFUSALS * 2, over=timedelta(days=7))
    assert state() == Authorization.State.ACTIVE
    assert again().refusal == ""


def test_a_service_that_does_not_answer_never_needs_a_person(credential, service):
    service.post(TOKEN, body=requests.ConnectionError())
    refuse(REFUSALS * 2, over=timedelta(days=7))
    assert state() == Authorization.State.ACTIVE


def test_another_response_resets_the_count(credential, service):
    answers = [400, 400, 400, 400, 503, 400, 403, 400, 400]
    for status in answers:
        service.post(TOKEN, status=status)
    for _ in answers:
        with pytest.raises(ServiceError):
            fresh_secret(again())
        Credential.objects.update(retry_at=None)
        Credential.objects.exclude(refusal_since=None).update(
            refusal_since=timezone.now() - REFUSED_FOR * 2
        )
    assert again().refusals == 2
    assert state() == Authorization.State.ACTIVE


def test_a_recovered_service_restores_the_authorization(credential, service):
    refused = service.post(TOKEN, status=400)
    refuse(REFUSALS, over=REFUSED_FOR * 2)
    assert state() == Authorization.State.NEEDS_AUTHORIZATION
    service.remove(refused)
    service.post(TOKEN, json={"access_token": "new", "expires_in": 3600})

    Credential.objects.update(renew_at=None)
    said = io.StringIO()
    call_command("refresh_due", stdout=said)

    assert said.getvalue() == "refresh_due: 1 visited: 1 done.\n"
    assert state() == Authorization.State.ACTIVE
    assert (again().refusal, again().refusals, again().refusal_since) == ("", 0, None)


def test_the_longer_it_lasts_the_fewer_requests_are_made(credential, service):
    service.post(TOKEN, status=400)
    refuse(REFUSALS, over=timedelta(days=4))
    Credential.objects.update(renew_at=None)
    call_command("refresh_due", stdout=io.StringIO())
    assert again().renew_at > timezone.now() + timedelta(hours=20)
    call_command("refresh_due", stdout=io.StringIO())
    assert len(service.calls) == REFUSALS + 1


def test_no_refresh_follows_a_final_refusal(credential, service):
    service.post(TOKEN, status=400, json={"error": "invalid_grant"})
    for force in (False, False, True):
        with pytest.raises(NeedsAuthorization, match="no longer accepts"):
            fresh_secret(again(), force=force)
    assert len(service.calls) == 1
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION


def test_the_last_token_is_used_until_it_expires(credential, service):
    service.post(TOKEN, status=400, json={"error": "invalid_grant"})
    living(credential)
    assert fresh_secret(again())["access_token"] == "an-access-token"
    assert fresh_secret(again())["access_token"] == "an-access-token"
    assert len(service.calls) == 1
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION
    ended(again())
    with pytest.raises(NeedsAuthorization):
        fresh_secret(again())


def test_a_process_that_lost_the_race_uses_the_new_token(credential, service):
    """Another process has rotated the token, and the service refuses the old one."""

    def answer(request):
        row = again()
        row.secret = {"access_token": "theirs", "refresh_token": "theirs"}
        row.version += 1
        row.expires_at = timezone.now() + timedelta(hours=1)
        row.save()
        return 400, {}, '{"error": "invalid_grant"}'

    service.add_callback(responses.POST, TOKEN, answer)
    assert fresh_secret(credential)["access_token"] == "theirs"
    assert Authorization.objects.get().state == Authorization.State.ACTIVE
    assert again().refused == ""
