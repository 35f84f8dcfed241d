"""Problems with installed connections: who sees them, and who is notified."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from connections.authorizations.state_changes import mark_ended
from connections.models import Authorization, InstalledConnection
from console.accounts.models import Membership
from console.choices import Level, Role
from console.health.notices import send_notices
from tests.connections.flow_steps import words_of
from tests.distribution.conftest import (  # noqa: F401
    admin,
    authorized,
    boss,
    client_organization,
    crm,
    first,
    installed,
    mailbox,
    person,
    publish,
    rows_of,
    share,
)

URL = reverse("health_list")


@pytest.fixture
def rows(installed, rows_of):  # noqa: F811
    """The client's connections by link name."""
    installed()
    return rows_of()


@pytest.fixture
def shared(rows, authorized, crm, admin) -> Authorization:  # noqa: F811
    """A shared authorization that has stopped."""
    return _stopped(authorized(crm, admin))


@pytest.fixture
def own(rows, authorized, mailbox, person) -> Authorization:  # noqa: F811
    """The authorization of one person that has stopped."""
    return _stopped(authorized(mailbox, person, own=True))


def _stopped(authorization: Authorization) -> Authorization:
    mark_ended(
        authorization.credential, Authorization.State.NEEDS_AUTHORIZATION, "Sandbox says no."
    )
    return authorization


def listed(browser) -> list[str]:
    return [problem.name for problem in browser.get(URL).context["rows"]]


def counted(browser) -> int:
    items = browser.get("/").context["navigation"]
    return next(item.count for item in items if item.label == "Health")


def test_people_who_authorize_shared_connections_see_it(
    signed_in, member, client_organization, boss, admin, person, shared  # noqa: F811
):  # fmt: skip
    builds = member(client_organization, Role.DEVELOPER, "builds@client.example")
    for user in (boss, admin, builds):
        assert (listed(signed_in(user)), counted(signed_in(user))) == (["CRM"], 1)
    assert (listed(signed_in(person)), counted(signed_in(person))) == ([], 0)


def test_only_the_person_sees_their_own_account(signed_in, boss, admin, person, own):  # noqa: F811
    assert (listed(signed_in(person)), counted(signed_in(person))) == (["Mailbox"], 1)
    for user in (boss, admin):
        assert (listed(signed_in(user)), counted(signed_in(user))) == ([], 0)


def test_the_developers_do_not_see_it(signed_in, developer, super_admin, shared, own):
    for user in (developer, super_admin):
        assert (listed(signed_in(user)), counted(signed_in(user))) == ([], 0)


def test_it_links_to_the_pages_of_the_installed_connection(signed_in, admin, rows, shared):  # noqa: F811
    page = signed_in(admin).get(URL)
    assert "Sandbox says no." in words_of(page)
    for name in ("installed_authorize", "installed_connection"):
        assert f'href="{reverse(name, args=[rows["crm"].pk])}"' in page.content.decode()
    home = reverse("connection_authorize", args=[shared.connection_id])
    assert home not in page.content.decode()


def test_a_failed_test_can_be_repeated(
    signed_in, admin, rows, authorized, crm  # noqa: F811
):  # fmt: skip
    now = timezone.now()
    authorized(crm, admin, check_problem="Sandbox did not answer.", checked_at=now)
    page = signed_in(admin).get(URL).content.decode()
    assert f'action="{reverse("installed_test", args=[rows["crm"].pk])}"' in page


def test_missing_permissions_are_those_of_the_installed_release(
    signed_in, admin, rows, authorized, crm  # noqa: F811
):  # fmt: skip
    authorized(crm, admin, scopes_granted=[])
    page = signed_in(admin).get(URL)
    assert [(p.name, p.kind) for p in page.context["rows"]] == [("CRM", "permissions_missing")]
    row = InstalledConnection.objects.get(pk=rows["crm"].pk)
    assert f"Missing: {', '.join(row.snapshot.scopes_asked)}." in words_of(page)


def test_it_counts_what_waits_for_the_authorization_of_this_person(
    signed_in, admin, person, rows, authorized, mailbox  # noqa: F811
):  # fmt: skip
    assert "2 connections of installed applications wait for your" in words_of(
        signed_in(admin).get(URL)
    )
    browser = signed_in(person)
    assert "1 connection of installed applications waits for your" in words_of(browser.get(URL))
    authorized(mailbox, person, own=True)
    assert "of installed applications" not in words_of(browser.get(URL))


def test_it_has_the_name_in_the_installed_release(signed_in, admin, crm, shared):  # noqa: F811
    crm.name = "Renamed by its developers"
    crm.save()
    assert listed(signed_in(admin)) == ["CRM"]


def test_it_is_hidden_after_the_end_of_the_license(signed_in, admin, shared):  # noqa: F811
    InstalledConnection.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    assert (listed(signed_in(admin)), counted(signed_in(admin))) == ([], 0)


def test_it_can_be_filtered_by_application(signed_in, admin, application, shared):  # noqa: F811
    browser = signed_in(admin)
    assert len(browser.get(f"{URL}?application={application.pk}").context["rows"]) == 1
    assert str(application) in browser.get(URL).content.decode()


def test_the_person_who_authorized_it_gets_the_url_to_fix_it(rows, shared, admin, settings):  # noqa: F811
    settings.PUBLIC_URL = "https://console.example"
    assert send_notices() == 1
    (message,) = mail.outbox
    assert message.to == [admin.email]
    assert message.subject == "CRM has stopped working"
    assert f"https://console.example/installed/connections/{rows['crm'].pk}/" in message.body
    assert "/connections/" + str(shared.connection_id) not in message.body


@pytest.mark.parametrize("change", [{"role": Role.USER}, {"deactivated_at": timezone.now()}])
def test_the_super_admin_is_notified_if_that_person_cannot_fix_it(
    shared, admin, boss, change  # noqa: F811
):  # fmt: skip
    Membership.objects.filter(user=admin).update(**change)
    send_notices()
    assert [message.to for message in mail.outbox] == [[boss.email]]


def test_the_person_is_notified_about_their_own_account(rows, own, person):  # noqa: F811
    send_notices()
    (message,) = mail.outbox
    assert message.to == [person.email]
    assert str(rows["mailbox"].pk) in message.body


def test_no_notice_for_a_working_connection_if_it_stopped_in_another_organization(
    shared, grant, crm  # noqa: F811
):  # fmt: skip
    _stopped(grant(crm))
    Authorization.objects.filter(pk=shared.pk).update(state=Authorization.State.ACTIVE)
    send_notices()
    assert all("installed" not in message.body for message in mail.outbox)


def test_the_fixtures_have_the_expected_levels(rows):
    assert rows["crm"].snapshot.level == Level.ADMINISTRATOR
    assert rows["mailbox"].snapshot.level == Level.LOGGED_IN_USER
