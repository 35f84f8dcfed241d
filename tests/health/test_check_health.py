from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command
from django.utils import timezone

from connections.authorizations.state_changes import mark_ended, mark_recovered
from connections.models import Authorization, Credential
from console.accounts.models import Membership
from console.health.credential_checks import check_turn
from console.health.models import WAITS, Notice
from console.health.notices import delete_old_notices, send_notices

State = Authorization.State


class BrokenBackend(EmailBackend):
    def send_messages(self, messages):
        raise OSError("The mail server is down.")


@pytest.fixture
def make(connect, grant):
    def one(name: str = "Messages", **fields) -> Authorization:
        old = timezone.now() - timedelta(days=3)
        fields = {"checked_at": old, "auth_type": "basic"} | fields
        return grant(connect("sandbox_basic", name=name), **fields)

    return one


def run() -> str:
    out = io.StringIO()
    call_command("check_health", stdout=out)
    return out.getvalue().strip()


def stop(authorization: Authorization) -> None:
    mark_ended(authorization.credential, State.NEEDS_AUTHORIZATION, "Sandbox says no.")


def recipients() -> list[str]:
    return sorted(address for message in mail.outbox for address in message.to)


@pytest.fixture
def sandbox_api(network):
    """Mock the check call of the sandbox with a successful response."""
    return network.get("http://localhost:9000/basic/api/me", json={"email": "alice@example.com"})


# Checks


def test_it_tests_credentials_that_are_due(make, network, sandbox_api):
    authorization = make(secret={"username": "alice", "password": "p"})
    assert run() == "check_health: 1 visited: 1 done; people notified: 0."
    credential = Credential.objects.get(pk=authorization.credential_id)
    assert credential.checked_at > timezone.now() - timedelta(minutes=1)
    assert credential.check_at > timezone.now() + timedelta(hours=17)
    assert run() == "check_health: 0 visited; people notified: 0."
    assert sandbox_api.call_count == 1


def test_recently_tested_credentials_are_not_due(make, sandbox_api):
    make(checked_at=timezone.now())
    assert run() == "check_health: 1 visited: 1 not due; people notified: 0."
    assert sandbox_api.call_count == 0


def test_a_setting_gives_the_interval(make, settings):
    settings.HEALTH_CHECK_HOURS = 2
    credential = make().credential
    assert check_turn(credential) - credential.checked_at <= timedelta(hours=2)


def test_it_finds_a_refused_credential_and_notifies(make, network, developer):
    network.get("http://localhost:9000/basic/api/me", status=401)
    make(secret={"username": "alice", "password": "p"})
    assert run() == "check_health: 1 visited: 1 need a person; people notified: 1."
    assert Authorization.objects.get().state == State.NEEDS_AUTHORIZATION
    assert recipients() == [developer.email]
    assert run() == "check_health: 0 visited; people notified: 0."


def test_an_outage_changes_no_state_and_is_retried(make, network):
    network.get("http://localhost:9000/basic/api/me", status=500)
    make(secret={"username": "alice", "password": "p"})
    assert run() == "check_health: 1 visited: 1 service unavailable; people notified: 0."
    assert Authorization.objects.get().state == State.ACTIVE
    assert Credential.objects.get().check_at < timezone.now() + timedelta(hours=2)


def test_it_finds_that_a_credential_works_again(make, network):
    """A gateway that temporarily answers 401 to everything does not end authorizations."""
    refused = network.get("http://localhost:9000/basic/api/me", status=401)
    make(secret={"username": "alice", "password": "p"})
    run()
    assert Authorization.objects.get().state == State.NEEDS_AUTHORIZATION
    network.remove(refused)
    network.get("http://localhost:9000/basic/api/me", json={"email": "alice@example.com"})

    Credential.objects.update(check_at=timezone.now())
    assert run() == "check_health: 1 visited: 1 done; people notified: 0."
    assert Authorization.objects.get().state == State.ACTIVE


@pytest.mark.parametrize("since", [timedelta(days=31), None])
def test_credentials_that_ended_for_good_are_not_tested(make, sandbox_api, since):
    stop(make())
    if since:
        Credential.objects.update(check_problem="No.")
        Authorization.objects.update(changed_at=timezone.now() - since)
    else:
        Credential.objects.update(check_problem="No.", refused="It is withdrawn.")
    assert run().startswith("check_health: 0 visited;")
    assert sandbox_api.call_count == 0


def test_a_second_refusal_does_not_move_the_time_of_the_stop(make, network):
    network.get("http://localhost:9000/basic/api/me", status=401)
    make(secret={"username": "alice", "password": "p"})
    run()
    long_ago = timezone.now() - timedelta(days=3)
    Authorization.objects.update(changed_at=long_ago)
    Credential.objects.update(check_at=timezone.now())
    assert run() == "check_health: 1 visited: 1 need a person; people notified: 0."
    assert Authorization.objects.get().changed_at == long_ago


# Mail


def test_the_mail_names_the_connection_the_reason_and_the_url(make, developer):
    stop(make())
    send_notices()
    (message,) = mail.outbox
    assert message.subject == "Messages has stopped working"
    assert message.to == [developer.email]
    assert "Sandbox says no." in message.body
    authorization = Authorization.objects.get()
    assert f"http://console.test/connections/{authorization.connection_id}/" in message.body
    assert "http://console.test/health/" in message.body
    assert "an-access-token" not in message.body


def test_one_mail_is_sent_for_each_stop(make):
    authorization = make()
    stop(authorization)
    stop(authorization)
    send_notices()
    send_notices()
    assert len(mail.outbox) == 1
    mark_recovered(authorization.credential)
    stop(authorization)
    send_notices()
    assert len(mail.outbox) == 2


def test_several_stops_are_in_one_mail(make, developer):
    for name in ("Messages", "Orders"):
        stop(make(name))
    send_notices()
    (message,) = mail.outbox
    assert message.subject == "2 connections have stopped working"
    assert "Messages" in message.body and "Orders" in message.body


def test_super_admins_are_notified_if_the_person_has_left(make, developer, super_admin):
    Membership.objects.filter(user=developer).delete()
    stop(make())
    send_notices()
    assert recipients() == [super_admin.email]


def test_inactive_people_are_not_notified(make, developer, super_admin):
    developer.is_active = False
    developer.save()
    stop(make())
    send_notices()
    assert recipients() == [super_admin.email]


def test_only_the_person_is_notified_about_their_own_account(
    connect, grant, developer, super_admin
):
    connection = connect("sandbox_basic", level="logged_in_user")
    authorization = grant(connection, user=developer)
    Membership.objects.filter(user=developer).delete()
    stop(authorization)
    send_notices()
    assert mail.outbox == []


def test_nobody_is_notified_if_it_works_again(make):
    authorization = make()
    stop(authorization)
    notices = Notice.objects.count()
    mark_recovered(authorization.credential)
    send_notices()
    assert (notices, mail.outbox) == (0, [])


def test_it_retries_if_the_mail_server_is_down(make, settings, developer):
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    stop(make())
    assert send_notices() == 1
    assert Authorization.objects.get().state == State.NEEDS_AUTHORIZATION
    notice = Notice.objects.get()
    assert notice.next_try_at > timezone.now() + timedelta(minutes=4)
    assert send_notices() == 0

    settings.EMAIL_BACKEND = works
    Notice.objects.update(next_try_at=timezone.now())
    send_notices()
    assert recipients() == [developer.email]


def test_it_gives_up_after_the_last_retry(make, settings):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    stop(make())
    for _ in range(len(WAITS) + 3):
        send_notices()
        Notice.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())
    notice = Notice.objects.get()
    assert (notice.tries, notice.next_try_at, notice.sent_at) == (len(WAITS) + 1, None, None)


def test_it_deletes_old_notices(make):
    stop(make())
    send_notices()
    assert delete_old_notices(timedelta(days=30)) == 0
    Notice.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert delete_old_notices(timedelta(days=30)) == 1
