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
from console.health.notices import forget_told, tell_people

State = Authorization.State


class Broken(EmailBackend):
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
    """Stand in for the check call of the sandbox: it works."""
    return network.get("http://localhost:9000/basic/api/me", json={"email": "alice@example.com"})


# Checks


def test_it_tests_what_was_not_tested_for_long(make, network, sandbox_api):
    authorization = make(secret={"username": "alice", "password": "p"})
    assert run() == "check_health: 1 visited: 1 done; people told: 0."
    credential = Credential.objects.get(pk=authorization.credential_id)
    assert credential.checked_at > timezone.now() - timedelta(minutes=1)
    assert credential.check_at > timezone.now() + timedelta(hours=17)
    assert run() == "check_health: 0 visited; people told: 0."
    assert sandbox_api.call_count == 1


def test_what_was_tested_lately_waits(make, sandbox_api):
    make(checked_at=timezone.now())
    assert run() == "check_health: 1 visited: 1 not due; people told: 0."
    assert sandbox_api.call_count == 0


def test_how_often_is_a_setting(make, settings):
    settings.HEALTH_CHECK_HOURS = 2
    credential = make().credential
    assert check_turn(credential) - credential.checked_at <= timedelta(hours=2)


def test_a_stop_is_found_and_told(make, network, developer):
    network.get("http://localhost:9000/basic/api/me", status=401)
    make(secret={"username": "alice", "password": "p"})
    assert run() == "check_health: 1 visited: 1 need a person; people told: 1."
    assert Authorization.objects.get().state == State.NEEDS_AUTHORIZATION
    assert recipients() == [developer.email]
    assert run() == "check_health: 0 visited; people told: 0."


def test_an_outage_stops_nothing_and_is_looked_at_again(make, network):
    network.get("http://localhost:9000/basic/api/me", status=500)
    make(secret={"username": "alice", "password": "p"})
    assert run() == "check_health: 1 visited: 1 service unavailable; people told: 0."
    assert Authorization.objects.get().state == State.ACTIVE
    assert Credential.objects.get().check_at < timezone.now() + timedelta(hours=2)


def test_what_works_again_is_found(make, network):
    """A gateway that answers 401 to everything for a while costs no key."""
    refused = network.get("http://localhost:9000/basic/api/me", status=401)
    make(secret={"username": "alice", "password": "p"})
    run()
    assert Authorization.objects.get().state == State.NEEDS_AUTHORIZATION
    network.remove(refused)
    network.get("http://localhost:9000/basic/api/me", json={"email": "alice@example.com"})

    Credential.objects.update(check_at=timezone.now())
    assert run() == "check_health: 1 visited: 1 done; people told: 0."
    assert Authorization.objects.get().state == State.ACTIVE


@pytest.mark.parametrize("since", [timedelta(days=31), None])
def test_what_is_gone_for_good_is_left_alone(make, sandbox_api, since):
    stop(make())
    if since:
        Credential.objects.update(check_problem="No.")
        Authorization.objects.update(changed_at=timezone.now() - since)
    else:
        Credential.objects.update(check_problem="No.", refused="It is withdrawn.")
    assert run().startswith("check_health: 0 visited;")
    assert sandbox_api.call_count == 0


def test_what_stopped_once_more_has_not_changed_since(make, network):
    network.get("http://localhost:9000/basic/api/me", status=401)
    make(secret={"username": "alice", "password": "p"})
    run()
    long_ago = timezone.now() - timedelta(days=3)
    Authorization.objects.update(changed_at=long_ago)
    Credential.objects.update(check_at=timezone.now())
    assert run() == "check_health: 1 visited: 1 need a person; people told: 0."
    assert Authorization.objects.get().changed_at == long_ago


# Mail


def test_the_mail_says_what_why_and_where(make, developer):
    stop(make())
    tell_people()
    (message,) = mail.outbox
    assert message.subject == "Messages has stopped working"
    assert message.to == [developer.email]
    assert "Sandbox says no." in message.body
    authorization = Authorization.objects.get()
    assert f"http://console.test/connections/{authorization.connection_id}/" in message.body
    assert "http://console.test/health/" in message.body
    assert "an-access-token" not in message.body


def test_it_is_sent_once_for_a_stop(make):
    authorization = make()
    stop(authorization)
    stop(authorization)
    tell_people()
    tell_people()
    assert len(mail.outbox) == 1
    mark_recovered(authorization.credential)
    stop(authorization)
    tell_people()
    assert len(mail.outbox) == 2


def test_several_stops_make_one_mail(make, developer):
    for name in ("Messages", "Orders"):
        stop(make(name))
    tell_people()
    (message,) = mail.outbox
    assert message.subject == "2 connections have stopped working"
    assert "Messages" in message.body and "Orders" in message.body


def test_without_him_the_super_admins_are_told(make, developer, super_admin):
    Membership.objects.filter(user=developer).delete()
    stop(make())
    tell_people()
    assert recipients() == [super_admin.email]


def test_who_was_switched_off_is_not_told(make, developer, super_admin):
    developer.is_active = False
    developer.save()
    stop(make())
    tell_people()
    assert recipients() == [super_admin.email]


def test_nobody_else_hears_of_a_persons_own_account(connect, grant, developer, super_admin):
    connection = connect("sandbox_basic", level="logged_in_user")
    authorization = grant(connection, user=developer)
    Membership.objects.filter(user=developer).delete()
    stop(authorization)
    tell_people()
    assert mail.outbox == []


def test_what_is_mended_meanwhile_is_not_told(make):
    authorization = make()
    stop(authorization)
    with_mail_down = Notice.objects.count()
    mark_recovered(authorization.credential)
    tell_people()
    assert (with_mail_down, mail.outbox) == (0, [])


def test_a_mail_server_that_is_down_breaks_nothing_and_is_tried_again(make, settings, developer):
    works = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    stop(make())
    assert tell_people() == 1
    assert Authorization.objects.get().state == State.NEEDS_AUTHORIZATION
    notice = Notice.objects.get()
    assert notice.next_try_at > timezone.now() + timedelta(minutes=4)
    assert tell_people() == 0

    settings.EMAIL_BACKEND = works
    Notice.objects.update(next_try_at=timezone.now())
    tell_people()
    assert recipients() == [developer.email]


def test_it_gives_up_in_the_end(make, settings):
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    stop(make())
    for _ in range(len(WAITS) + 3):
        tell_people()
        Notice.objects.filter(next_try_at__isnull=False).update(next_try_at=timezone.now())
    notice = Notice.objects.get()
    assert (notice.tries, notice.next_try_at, notice.told_at) == (len(WAITS) + 1, None, None)


def test_old_notices_are_forgotten(make):
    stop(make())
    tell_people()
    assert forget_told(timedelta(days=30)) == 0
    Notice.objects.update(created_at=timezone.now() - timedelta(days=31))
    assert forget_told(timedelta(days=30)) == 1
