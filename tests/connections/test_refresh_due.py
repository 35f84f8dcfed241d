from __future__ import annotations

import io
from collections import Counter
from datetime import timedelta

import pytest
import responses
from django.core.management import call_command
from django.utils import timezone

from connections.credentials import rounds
from connections.credentials.renewal import renew, renewal_turn
from connections.credentials.rounds import VisitOutcome, go_round
from connections.models import Authorization, Credential, OAuthClient

GOOGLE = "https://oauth2.googleapis.com/token"
DROPBOX = "https://api.dropboxapi.com/oauth2/token"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clients(db) -> None:
    for slug in ("google_sheets", "dropbox", "facebook"):
        OAuthClient.objects.create(connector_slug=slug, client_id="c", client_secret="s")


@pytest.fixture
def idle(connect, grant):
    """Return a factory for a credential that was idle for so many days."""

    def make(slug: str = "google_sheets", days: float = 2, **fields) -> Credential:
        now = timezone.now()
        fields = {
            "obtained_at": now - timedelta(days=days),
            "expires_at": now - timedelta(days=days) + timedelta(hours=1),
        } | fields
        return grant(connect(slug), **fields).credential

    return make


@pytest.fixture
def service():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(GOOGLE, json={"access_token": "new", "expires_in": 3600})
        yield mock


def run() -> str:
    out = io.StringIO()
    call_command("refresh_due", stdout=out)
    return out.getvalue().strip()


def test_it_refreshes_idle_credentials(idle, service):
    credential = idle()
    assert run() == "refresh_due: 1 visited: 1 done."
    credential.refresh_from_db()
    assert credential.secret.reveal()["access_token"] == "new"
    assert credential.renew_at > timezone.now() + timedelta(hours=17)


def test_a_recently_used_credential_is_not_due(idle, service):
    idle(days=0.2)
    assert run() == "refresh_due: 1 visited: 1 not due."
    assert run() == "refresh_due: 0 visited."
    assert len(service.calls) == 0


def test_a_credential_without_a_refresh_token_is_skipped(idle, service):
    idle(secret={"access_token": "for ever"})
    idle("slack", auth_type="basic", client=None, secret={"username": "a", "password": "b"})
    assert run() == "refresh_due: 2 visited: 2 not due."
    assert run() == "refresh_due: 0 visited."
    assert len(service.calls) == 0


def test_a_credential_without_an_authorization_is_skipped(idle, service):
    idle()
    Authorization.objects.update(state=Authorization.State.NEEDS_AUTHORIZATION)
    assert run() == "refresh_due: 0 visited."


def test_a_refresh_token_with_an_end_is_renewed_in_time(idle, service):
    now = timezone.now()
    credential = idle(days=0.3, ends_at=now + timedelta(hours=2))
    assert renewal_turn(credential) < now
    assert run() == "refresh_due: 1 visited: 1 done."


def test_a_token_that_is_exchanged_is_refreshed_rarely(idle):
    given, ends = timezone.now() - timedelta(days=29), timezone.now() + timedelta(days=31)
    turn = renewal_turn(idle("facebook", obtained_at=given, expires_at=ends, ends_at=ends))
    assert given + timedelta(days=30) <= turn <= given + timedelta(days=45)


def test_it_finds_idle_credentials_that_have_ended(idle, service):
    idle(secret={"access_token": "a"}, ends_at=timezone.now() - timedelta(hours=1))
    assert run() == "refresh_due: 1 visited: 1 need a person."
    assert Authorization.objects.get().state == Authorization.State.NEEDS_AUTHORIZATION
    assert run() == "refresh_due: 0 visited."


def test_a_grant_that_was_withdrawn_is_found(idle, service):
    service.replace(responses.POST, GOOGLE, status=400, json={"error": "invalid_grant"})
    idle()
    assert run() == "refresh_due: 1 visited: 1 need a person."
    assert Authorization.objects.get().reason


def test_one_service_that_is_down_stops_no_other(idle, service):
    service.post(DROPBOX, status=500)
    for _ in range(6):
        idle("dropbox")
    for _ in range(4):
        idle()
    said = run()
    assert said == ("refresh_due: 10 visited: 4 done, 3 service unavailable, 3 left for later.")
    asked = Counter(call.request.url for call in service.calls)
    assert asked == {GOOGLE: 4, DROPBOX: 3}
    assert run() == "refresh_due: 0 visited."
    later = Credential.objects.filter(connector_slug="dropbox").values_list("renew_at", flat=True)
    assert len(set(later)) == 6


def test_one_unreadable_secret_stops_no_other(idle, service):
    broken, whole = idle(), idle()
    other = Credential.objects.filter(pk=whole.pk).values_list("secret", flat=True)
    Credential.objects.filter(pk=broken.pk).update(secret=other.get())
    assert run() == "refresh_due: 2 visited: 1 done, 1 need a person."


def test_the_next_round_continues_after_a_killed_one(idle, service):
    for _ in range(5):
        idle()
    visits = iter(range(3))
    came = go_round("renew_at", renew, lambda: next(visits, None) is not None)
    assert came == {VisitOutcome.DONE: 3}
    assert run() == "refresh_due: 2 visited: 2 done."
    assert len(service.calls) == 5


def test_batches_follow_each_other(idle, service, monkeypatch):
    monkeypatch.setattr(rounds, "BATCH", 2)
    for _ in range(5):
        idle(days=0.1)
    assert run() == "refresh_due: 5 visited: 5 not due."


def test_due_times_are_spread(idle):
    turns = {renewal_turn(idle()) for _ in range(20)}
    assert max(turns) - min(turns) > timedelta(hours=1)


def test_another_task_backend_runs_the_visits(idle, service, settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}}
    idle()
    assert run() == "refresh_due: 1 visited: 1 handed to workers."
    assert run() == "refresh_due: 0 visited."
    assert len(service.calls) == 0


@pytest.mark.django_db(transaction=True)
def test_two_rounds_at_once_share_the_work(idle, service, at_once):
    for _ in range(6):
        idle()
    came = at_once(2, lambda: go_round("renew_at", renew, lambda: True))
    assert came[0] + came[1] == {VisitOutcome.DONE: 6}
    assert len(service.calls) == 6
