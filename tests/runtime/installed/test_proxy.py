"""Proxied calls through installed connections use only the client's own authorizations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from connections.authorizations.revoking import revoke
from connections.authorizations.suspending import suspend
from connections.models import InstalledConnection
from console.accounts.models import Membership, Organization
from console.choices import Role
from console.distribution import installing, sharing, updating
from console.invocations import log_writer
from console.invocations.models import Invocation
from console.keys.issuing import create_key
from console.keys.user_tokens import token_for
from console.publishing.models import Installation
from tests.runtime.proxy.program import Program

OAUTH2 = {"access_token": "token-of-the-client", "refresh_token": "r"}


def used(upstream) -> list[str]:
    return [value for asked in upstream.asked for value in asked.all("Authorization")]


@pytest.fixture
def works(authorized, crm, boss, installation):
    """The client's account at the CRM."""
    return authorized(crm, boss, secret=OAUTH2)


def test_it_calls_with_the_clients_account(upstream, program, works):
    upstream.answers({"contacts": []})
    answer = program.get("crm")
    assert (answer.status, answer.json()) == (200, {"contacts": []})
    assert used(upstream) == ["Bearer token-of-the-client"]


def test_the_developers_accounts_never_act(upstream, program, grant, crm, mailbox, developer):
    for connection in (crm, mailbox):
        grant(connection, secret={"access_token": "token-of-the-studio", "refresh_token": "r"})
        grant(connection, "stage", secret={"access_token": "t", "refresh_token": "r"})
    assert program.get("crm").problem == "authorization-required"
    assert upstream.asked == []


def test_an_account_of_the_developers_for_production_never_acts(upstream, program, grant, crm):
    grant(crm, "production", secret={"access_token": "token-of-the-studio", "refresh_token": "r"})
    assert program.get("crm").problem == "authorization-required"
    assert upstream.asked == []


@pytest.mark.parametrize("link_name", ["crm", "mailbox"])
def test_who_has_not_authorized_is_led_to_the_clients_own_page(
    upstream, program, rows_of, token_of, person, settings, link_name
):
    settings.PUBLIC_URL = "https://console.example"
    answer = program.get(link_name, headers=token_of(person))
    assert (answer.status, answer.problem) == (409, "authorization-required")
    place = f"/installed/connections/{rows_of()[link_name].pk}/authorize/"
    assert answer.json()["authorize_url"] == f"https://console.example{place}"
    assert upstream.asked == []


def test_a_connection_of_each_person_needs_to_know_who(upstream, program, installation):
    answer = program.get("mailbox")
    assert (answer.status, answer.problem) == (401, "user-token-required")


def test_each_person_uses_their_own_account(
    upstream, program, token_of, authorized, mailbox, person, admin, boss, installation
):
    for user in (person, admin):
        name = {"access_token": f"token-of-{user.email}", "refresh_token": "r"}
        authorized(mailbox, user, own=True, secret=name)
    for user in (person, admin, person):
        assert program.get("mailbox", headers=token_of(user)).status == 200
    emails = (person.email, admin.email, person.email)
    assert used(upstream) == [f"Bearer token-of-{email}" for email in emails]
    assert program.get("mailbox", headers=token_of(boss)).problem == "authorization-required"


def test_a_token_of_another_environment_does_not_count(
    upstream, program, application, studio, developer, client_organization, boss, installation
):
    Membership.objects.create(user=boss, organization=studio, role=Role.DEVELOPER)
    for organization, environment in ((studio, "stage"), (client_organization, "stage")):
        token = token_for(boss, application, organization, environment)
        answer = program.get("mailbox", headers={"Console-User": token})
        assert answer.problem == "user-token-refused"


def test_who_leaves_the_client_is_out_within_a_second(
    upstream, program, token_of, authorized, mailbox, person, installation, a_second_later
):
    authorized(mailbox, person, own=True, secret=OAUTH2)
    headers = token_of(person)
    assert program.get("mailbox", headers=headers).status == 200

    Membership.objects.filter(user=person).update(deactivated_at=timezone.now())
    a_second_later()
    assert program.get("mailbox", headers=headers).problem == "user-token-refused"
    assert len(upstream.asked) == 1


def test_what_a_deactivated_admin_has_authorized_is_suspended_within_a_second(
    upstream, program, authorized, crm, admin, client_organization, installation, a_second_later
):
    authorized(crm, admin, secret=OAUTH2)
    assert program.get("crm").status == 200
    suspend(admin, client_organization, "They have left.")
    a_second_later()
    assert program.get("crm").status == 409
    assert len(upstream.asked) == 1


def test_what_is_revoked_is_out_within_a_second(upstream, program, works, boss, a_second_later):
    assert program.get("crm").status == 200
    revoke(works, boss)
    a_second_later()
    assert program.get("crm").problem == "authorization-required"
    assert used(upstream).count("Bearer token-of-the-client") == 1


def test_the_end_of_the_license_refuses_within_a_second(
    upstream, program, works, installation, super_admin, a_second_later
):
    assert program.get("crm").status == 200
    past = timezone.now() - timedelta(seconds=1)
    for rows in (Installation.objects, InstalledConnection.objects):
        rows.update(ends_at=past)
    a_second_later()
    answer = program.get("crm")
    assert (answer.status, answer.problem) == (403, "license-ended")
    assert len(upstream.asked) == 1

    sharing.change_license(installation.share, "subscription", super_admin, ends_at=None)
    a_second_later()
    assert program.get("crm").status == 200


def test_a_license_that_expires_refuses_calls(upstream, program, works, a_second_later):
    soon = timezone.now() + timedelta(seconds=0.3)
    InstalledConnection.objects.update(ends_at=soon)
    assert program.get("crm").status == 200
    while timezone.now() < soon:
        pass
    a_second_later()
    assert program.get("crm").problem == "license-ended"


def test_uninstalling_refuses_within_a_second(
    upstream, program, works, installation, boss, a_second_later
):
    assert program.get("crm").status == 200
    asked = len(upstream.asked)
    installing.uninstall(installation, boss)
    upstream.asked.clear()
    a_second_later()
    answer = program.get("crm")
    assert (answer.status, answer.problem) == (401, "key-refused")
    assert (asked, upstream.asked) == (1, [])


def test_installing_again_brings_no_old_key_back(
    upstream, program, works, installation, boss, share, a_second_later
):
    shared = installation.share
    installing.uninstall(installation, boss)
    shared.refresh_from_db()
    installing.install(installing.offer_from_share(shared), boss, seen=str(shared.release.pk))
    a_second_later()
    assert program.get("crm").problem == "key-refused"


def test_after_an_update_the_connections_are_those_of_the_new_release(
    upstream, program, works, installation, change, connect, publish, super_admin, boss, crm,
    a_second_later,
):  # fmt: skip
    parts = connect(name="Parts", link_name="parts")
    change(crm, parts)
    newer = publish()
    assert program.get("crm").status == 200
    assert program.get("parts").problem == "connection-not-found"
    sharing.send_update(installation.share, newer, super_admin)
    updating.update(installation, boss, seen=str(newer.pk))
    a_second_later()
    assert program.get("crm").status == 200
    assert program.get("parts").problem == "authorization-required"
    assert program.get("mailbox").problem == "connection-not-found"


def test_a_key_never_reaches_another_client(
    upstream, key, works, installation, member, crm, a_second_later
):
    other = Organization.objects.create(name="Other", slug="other")
    head = member(other, Role.SUPER_ADMIN, "head@other.example")
    theirs = Installation.objects.create(
        application=installation.application, organization=other, release=installation.release
    )
    installing.write_connections(theirs, [])
    text = create_key(theirs.application, other, "production", head, "P")[1]
    assert Program(key=text).get("crm").problem == "authorization-required"
    assert upstream.asked == []
    assert Program(key=key).get("crm").status == 200
    assert used(upstream) == ["Bearer token-of-the-client"]


def test_what_developers_change_meanwhile_changes_nothing(
    upstream, program, works, crm, a_second_later
):
    crm.level, crm.scopes = "logged_in_user", ["orders.read"]
    crm.save()
    assert program.get("crm").status == 200


def test_a_call_is_the_clients(upstream, program, works, client_organization):
    program.get("crm")
    assert log_writer.writer.write()
    row = Invocation.objects.get()
    assert (row.organization_id, row.environment) == (client_organization.pk, "production")
